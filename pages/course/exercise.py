"""An exercise on screen: its question, a guess, and the answer with all that was measured."""

from __future__ import annotations

import re
from html import escape

import streamlit as st

from core import charts
from core.lesson import GLOSSARY, STEPS, Number, Result, Sentence, Setting, Step, feedback
from core.lesson.words import answer_text
from core.question.experiment import Experiment
from core.reading.number import exact_text, lesson_text, measured_text
from core.text import unbroken
from pages.controls.links import explore_link
from pages.course import place
from pages.figures.chart import show
from pages.words import table
from pages.words.table import NOTHING
from pages.work import answers
from pages.work.progress import Progress, place_over_the_next

_GUESSES = "_guesses"
_MARKS = re.compile(r"([\\*_~\[\]<>$#])")
_MAY_BREAK = r"\qquad\allowbreak"
_COLUMNS = {
    "here": "",
    "exact or typical": "Theory's value. For a single draw, the middle and the spread of draws.",
    "the original notebook got": "",
}
_CAPTION = (
    "Measured ± standard error; a range in brackets is one standard error either way. The "
    "notebook's number agrees if it lies within four of its own standard errors."
)


def title(step: Step) -> None:
    """Draw the step's number and title."""
    asked = sum(not each.more for each in STEPS.values())
    number = f"Step {step.number}" + (", for those who want more" if step.more else f" of {asked}")
    st.html(f"""<div class="gi-step"><p>{number}</p><h1>{escape(step.title)}</h1></div>""")


def question(step: Step) -> None:
    """Draw the step's question."""
    st.markdown(_prose(step.question))


def _prose(text: str) -> str:
    """The text as Markdown that means nothing but code between backticks."""
    parts = text.split("`")
    parts[::2] = [_MARKS.sub(r"\\\1", unbroken(part)) for part in parts[::2]]
    return "`".join(parts)


def _html(text: str) -> str:
    """The text as HTML, in which code stands between backticks."""
    return re.sub(r"`(.*?)`", r"<code>\1</code>", escape(unbroken(text)))


def prompt(step: Step, result: Result | None) -> None:
    """Draw what a class is to guess, and the answers to choose from; the right one is marked."""
    st.markdown(_prose(step.guess.prompt))
    right = answer_text(result.right) if result else None
    options = step.guess.options or (() if right is None else (right,))
    items = "".join(
        f'<li class="gi-right"><b>✓</b> {_html(option)}</li>'
        if option == right
        else f"<li>{_html(option)}</li>"
        for option in options
    )
    if items:
        st.html(f'<ul class="gi-options">{items}</ul>')


def brief(result: Result) -> None:
    """Draw the answer in one sentence, for a class."""
    st.markdown(_prose(result.in_short))


def ask(step: Step, experiment: Experiment) -> None:
    """Draw the form for a guess; the guess is stored in this session, with the size asked about."""
    guess, key = step.guess, f"guess_{step.slug}"
    with st.form(f"guess_form_{step.slug}", border=True):
        if guess.kind == "choice":
            st.radio(_prose(guess.prompt), guess.options, index=None, key=key)
        else:
            # A whole number's field would cut 12.7 to 12 without a word.
            stride = 1.0 if guess.whole else None
            more = {"step": stride, "format": "%g", "placeholder": "A number"}
            st.number_input(_prose(guess.prompt), value=None, key=key, **more)
        with st.container(horizontal=True, gap="small"):
            guessed = st.form_submit_button("Check my guess", type="primary")
            gave_up = st.form_submit_button("Show the answer", type="tertiary")
    made = st.session_state[key]
    problem = "Make a guess first, or ask for the answer." if made is None else guess.problem(made)
    if guessed and problem:
        st.html(f'<p class="gi-hint" role="alert">{escape(problem)}</p>')
    elif guessed or gave_up:
        guesses = st.session_state.setdefault(_GUESSES, {})
        guesses[step.slug] = (made, experiment.width, experiment.depth) if guessed else None
        place.finish(step.slug)
        st.rerun()


def _feedback(step: Step, result: Result) -> None:
    """Draw whether the guess was right, if one was made."""
    guessed = st.session_state.get(_GUESSES, {}).get(step.slug)
    if guessed is None:
        return
    made, *size = guessed
    said = feedback(step.guess, made, tuple(size), result)
    st.html(
        f'<p class="gi-feedback gi-{said.kind}" role="status"><b>{escape(said.verdict)}</b> '
        f"{_html(said.words)}</p>"
    )


def result_of(step: Step, setting: Setting) -> Result:
    """The result of the exercise at this size; a progress bar is drawn while it is computed."""
    bar = place_over_the_next()
    try:
        return answers.exercise(step.slug, setting, Progress(bar, "Measuring…"))
    finally:
        bar.empty()


def answered(step: Step, result: Result) -> None:
    """Draw the answer: the guess beside it, figures, sentences, numbers and code."""
    _feedback(step, result)
    pictures(result)
    _explained(step, result)
    caption = unbroken(_CAPTION)
    table.show(caption, "Number", _COLUMNS, [_row(number) for number in result.numbers])
    with st.expander("The same in PyTorch", key=f"snippet_{step.slug}"):
        st.code(step.snippet(result.setting), language="python")
    explore_link("Open this in Explore", step.explore(result.setting))


def pictures(result: Result, *, large: bool = False) -> None:
    """Draw the figures of a result."""
    for index, figure in enumerate(charts.lesson_pictures(result, large=large)):
        show(figure, key=f"lesson_{index}", urgent=index == 0)


def _explained(step: Step, result: Result) -> None:
    """Draw the answer in sentences, each with its formula; some of them are folded away."""
    for sentence in result.answer:
        if not sentence.fold:
            _paragraph(sentence)
    for fold, heading in enumerate(dict.fromkeys(s.fold for s in result.answer if s.fold)):
        with st.expander(heading, key=f"fold_{step.slug}_{fold}"):
            for sentence in result.answer:
                if sentence.fold == heading:
                    _paragraph(sentence)


def _paragraph(sentence: Sentence) -> None:
    formula = f"\n\n$$\n{_unbroken_formula(sentence.formula)}\n$$" if sentence.formula else ""
    st.markdown(_prose(sentence.text) + formula)


def _unbroken_formula(formula: str) -> str:
    """The formula in which a line ends only where it may: KaTeX ends none within braces."""
    return _MAY_BREAK.join(f"{{{part.strip()}}}" for part in formula.split(_MAY_BREAK))


def _row(number: Number) -> tuple[str, tuple[str, ...]]:
    """A number's label and cells as HTML, with a mark on the notebook's own."""
    exact, lesson = (text or NOTHING for text in (exact_text(number), lesson_text(number)))
    mark = f' <b class="gi-{number.verdict}">{number.verdict}</b>' if number.verdict else ""
    cells = (measured_text(number), exact, lesson)
    here, typical, notebook = (escape(unbroken(cell)) for cell in cells)
    return _html(number.label), (here, typical, notebook + mark)


def glossary() -> None:
    """Draw what the words of the lesson mean, folded away."""
    entries = "".join(f"<dt>{_html(t)}</dt><dd>{_html(m)}</dd>" for t, m in GLOSSARY.items())
    with st.expander("What the words mean", key="glossary"):
        st.html(f'<dl class="gi-glossary">{entries}</dl>')
