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
from pages.controls.state import explore_link
from pages.course import place as _place
from pages.figures.chart import show
from pages.work import answers, progress

_GUESSES = "_guesses"
_MARKS = re.compile(r"([\\*_~\[\]<>$#])")
_COLUMNS = ("here", "exact", "the lesson got")


def question(step: Step) -> None:
    """The step's title and what it asks."""
    place = f"Step {step.number} of {len(STEPS)}"
    st.html(f"""<div class="gi-step"><p>{place}</p><h1>{escape(step.title)}</h1></div>""")
    st.markdown(_prose(step.question))


def _prose(text: str) -> str:
    """Markdown in which only code between backticks means anything."""
    parts = text.split("`")
    parts[::2] = [_MARKS.sub(r"\\\1", part) for part in parts[::2]]
    return "`".join(parts)


def prompt(step: Step) -> None:
    """What a class is to guess, and among what."""
    options = "".join(f"\n- {_prose(option)}" for option in step.guess.options)
    st.markdown(f"{_prose(step.guess.prompt)}\n{options}")


def ask(step: Step) -> None:
    """A guess before the answer; it stays in this session."""
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
        kept = st.session_state.setdefault(_GUESSES, {})
        kept[step.slug] = st.session_state[key] if guessed else None
        _place.finish(step.slug)
        st.rerun()


def _judged(guess: Guess, made: float | str, right: float | str) -> tuple[bool, str]:
    """Whether a guess was right, and how far off."""
    if guess.kind == "choice":
        good = guess.accepts(made, right)
        return good, f"It is: {right}." if good else f"You said: {made}. It is: {right}."
    value, target = float(made), float(right)
    good = guess.accepts(value, target)
    if isinf(target):
        return good, f"You said {rounded(value)}, but at this size it never happens."
    told = f"You said {rounded(value)}, it is {rounded(target)}"
    if value == target:
        return good, f"{told}."
    if guess.judged == "difference" or value * target <= 0:
        return good, f"{told}: {rounded(abs(value - target))} off."
    factor = max(value / target, target / value)
    return good, f"{told}: a factor of {rounded(factor)} off."


def feedback(step: Step, result: Result) -> None:
    """What became of the guess, if one was made."""
    made = st.session_state.get(_GUESSES, {}).get(step.slug)
    if made is None:
        return
    good, words = _judged(step.guess, made, result.right)
    kind, verdict = ("good", "Right.") if good else ("far", "Not quite.")
    st.html(f'<p class="gi-feedback gi-{kind}" role="status"><b>{verdict}</b> {escape(words)}</p>')


def result_of(step: Step, setting: Setting) -> Result:
    """The exercise at this size, with its progress if it takes long."""
    bar = st.empty()
    try:
        return answers.exercise(step.slug, setting, progress.Progress(bar, "Measuring…"))
    finally:
        bar.empty()


def pictures(result: Result, *, large: bool = False) -> int:
    """Its figures; returns how many it has."""
    figures = charts.lesson_pictures(result, large=large)
    for place, figure in enumerate(figures):
        show(figure, key=f"lesson_{place}", urgent=place == 0)
    return len(figures)


def explained(result: Result) -> None:
    """The answer in sentences, each with its formula."""
    for sentence in result.answer:
        formula = f"\n\n$$\n{sentence.formula}\n$$" if sentence.formula else ""
        st.markdown(_prose(sentence.text) + formula)


def numbers(result: Result) -> None:
    """What was measured, beside the exact values and what the lesson printed."""
    head = "".join(f'<th scope="col">{column}</th>' for column in _COLUMNS)
    rows = "".join(_row(number) for number in result.numbers)
    st.html(
        f"""<div class="gi-table"><table><caption>Measured ± standard error; ×÷ is a factor either
        way. The lesson's number agrees if it lies within four of its own standard errors.</caption>
        <thead><tr><th scope="col">Number</th>{head}</tr></thead>
        <tbody>{rows}</tbody></table></div>"""
    )


def _row(number: Number) -> str:
    lesson = lesson_text(number) or "–"
    mark = f' <b class="gi-{number.verdict}">{number.verdict}</b>' if number.verdict else ""
    exact = exact_text(number) or "–"
    cells = (escape(measured_text(number)), escape(exact), escape(lesson) + mark)
    label = re.sub(r"`(.*?)`", r"<code>\1</code>", escape(number.label))
    body = "".join(
        f'<td data-label="{column}"{" class=gi-none" * (cell == "–")}>{cell}</td>'
        for column, cell in zip(_COLUMNS, cells, strict=True)
    )
    return f'<tr><th scope="row">{label}</th>{body}</tr>'


def more(step: Step, setting: Setting) -> None:
    """The code, and the way to Explore."""
    with st.expander("The same in PyTorch", key=f"snippet_{step.slug}"):
        st.code(step.snippet(setting), language="python")
    explore_link("Open this in Explore", step.explore(setting))
