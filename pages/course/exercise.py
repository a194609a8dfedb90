"""An exercise on screen: its question, a guess, and the answer with all that was measured."""

from __future__ import annotations

import re
from html import escape
from math import isinf

import streamlit as st

from core import charts
from core.lesson import STEPS, Guess, Number, Result, Setting, Step
from core.lesson.words import rounded
from core.reading.number import exact_text, lesson_text, measured_text
from pages.controls.links import explore_link
from pages.course import place
from pages.figures.chart import show
from pages.words import table
from pages.words.table import NOTHING
from pages.work import answers
from pages.work.progress import Progress

_GUESSES = "_guesses"
_MARKS = re.compile(r"([\\*_~\[\]<>$#])")
_COLUMNS = dict.fromkeys(("here", "exact", "the lesson got"), "")
_CAPTION = (
    "Measured ± standard error; ×÷ is a factor either way. The lesson's number agrees if it lies "
    "within four of its own standard errors."
)


def question(step: Step) -> None:
    """Draw the step's title and its question."""
    number = f"Step {step.number} of {len(STEPS)}"
    st.html(f"""<div class="gi-step"><p>{number}</p><h1>{escape(step.title)}</h1></div>""")
    st.markdown(_prose(step.question))


def _prose(text: str) -> str:
    """The text as Markdown that means nothing but code between backticks."""
    parts = text.split("`")
    parts[::2] = [_MARKS.sub(r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def prompt(step: Step) -> None:
    """Draw what a class is to guess, and the answers to choose from."""
    options = "".join(f"\n- {_prose(option)}" for option in step.guess.options)
    st.markdown(f"{_prose(step.guess.prompt)}\n{options}")


def ask(step: Step) -> None:
    """Draw the form for a guess; the guess is stored in this session."""
    guess = step.guess
    with st.form(f"guess_form_{step.slug}", border=True):
        key = f"guess_{step.slug}"
        if guess.kind == "choice":
            st.radio(_prose(guess.prompt), guess.options, index=None, key=key)
        else:
            st.number_input(_prose(guess.prompt), value=None, key=key, placeholder="A number")
        with st.container(horizontal=True, gap="small"):
            guessed = st.form_submit_button("Check my guess", type="primary")
            gave_up = st.form_submit_button("Show the answer", type="tertiary")
    if guessed and st.session_state[key] is None:
        st.html('<p class="gi-hint" role="alert">Make a guess first, or ask for the answer.</p>')
    elif guessed or gave_up:
        guesses = st.session_state.setdefault(_GUESSES, {})
        guesses[step.slug] = st.session_state[key] if guessed else None
        place.finish(step.slug)
        st.rerun()


def _judged(guess: Guess, made: float | str, right: float | str) -> tuple[bool, str]:
    """Whether a guess was right, and by how much it was off, as a sentence."""
    if guess.kind == "choice":
        good = guess.accepts(made, right)
        return good, f"It is: {right}." if good else f"You said: {made}. It is: {right}."
    value, target = float(made), float(right)
    good = guess.accepts(value, target)
    if isinf(target):
        return good, f"You said {rounded(value)}, but at this size it never happens."
    words = f"You said {rounded(value)}, it is {rounded(target)}"
    if value == target:
        return good, f"{words}."
    if guess.judged == "difference" or value * target <= 0:
        return good, f"{words}: {rounded(abs(value - target))} off."
    factor = max(value / target, target / value)
    return good, f"{words}: a factor of {rounded(factor)} off."


def feedback(step: Step, result: Result) -> None:
    """Draw whether the guess was right, if one was made."""
    made = st.session_state.get(_GUESSES, {}).get(step.slug)
    if made is None:
        return
    good, words = _judged(step.guess, made, result.right)
    kind, verdict = ("good", "Right.") if good else ("far", "Not quite.")
    st.html(f'<p class="gi-feedback gi-{kind}" role="status"><b>{verdict}</b> {escape(words)}</p>')


def result_of(step: Step, setting: Setting) -> Result:
    """The result of the exercise at this size; a progress bar is drawn while it is computed."""
    bar = st.empty()
    try:
        return answers.exercise(step.slug, setting, Progress(bar, "Measuring…"))
    finally:
        bar.empty()


def pictures(result: Result, *, large: bool = False) -> int:
    """Draw the figures of a result; returns how many there are."""
    figures = charts.lesson_pictures(result, large=large)
    for index, figure in enumerate(figures):
        show(figure, key=f"lesson_{index}", urgent=index == 0)
    return len(figures)


def explained(result: Result) -> None:
    """Draw the answer in sentences, each with its formula."""
    for sentence in result.answer:
        formula = f"\n\n$$\n{sentence.formula}\n$$" if sentence.formula else ""
        st.markdown(_prose(sentence.text) + formula)


def numbers(result: Result) -> None:
    """Draw the table of what was measured, the exact values, and what the lesson printed."""
    table.show(_CAPTION, "Number", _COLUMNS, [_row(number) for number in result.numbers])


def _row(number: Number) -> tuple[str, tuple[str, ...]]:
    """A number's label and cells as HTML, with a mark on the lesson's own."""
    exact, lesson = (text or NOTHING for text in (exact_text(number), lesson_text(number)))
    mark = f' <b class="gi-{number.verdict}">{number.verdict}</b>' if number.verdict else ""
    label = re.sub(r"`(.*?)`", r"<code>\1</code>", escape(number.label))
    return label, (escape(measured_text(number)), escape(exact), escape(lesson) + mark)


def more(step: Step, setting: Setting) -> None:
    """Draw the code of the exercise, and a link that opens its network in Explore."""
    with st.expander("The same in PyTorch", key=f"snippet_{step.slug}"):
        st.code(step.snippet(setting), language="python")
    explore_link("Open this in Explore", step.explore(setting))
