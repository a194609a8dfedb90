"""What a page says beside its pictures: the verdict, torch's own checks, refused values."""

from __future__ import annotations

from html import escape
from math import isnan
from pathlib import Path

import streamlit as st

from core.diagnosis import last_sound_size
from core.propagate import Run
from core.verdict import Verdict, significant

_CSS = (Path(__file__).parent / "words.css").read_text()


def style() -> None:
    """The words' own style sheet, once per page."""
    st.html(f"<style>{_CSS}</style>")


def warn(problems: list[str]) -> None:
    """What was not accepted, in one box."""
    if problems:
        items = "".join(f"<li>{escape(problem)}</li>" for problem in dict.fromkeys(problems))
        st.html(f'<div class="gi-problems" role="alert"><ul>{items}</ul></div>')


def numbers(verdict: Verdict, run: Run) -> list[tuple[str, str, str]]:
    """The three numbers of the answer: what it is, its value, a detail."""
    layer, size = last_sound_size(run)
    ended = layer < run.experiment.depth
    why = "zero" if run.stats.zero[-1] == 1 else "finite"
    where = f"at layer {layer}" + (f", the last {'not ' * (why == 'zero')}{why}" if ended else "")
    growth = "–" if isnan(verdict.growth) else f"× {significant(verdict.growth)}"
    mean = "no constant factor" if isnan(verdict.growth) else "geometric mean while in range"
    return [
        (verdict.iteration_label, verdict.iteration, verdict.iteration_detail),
        ("last |x|" if run.experiment.is_single_number else "last std", significant(size), where),
        ("growth per product", growth, mean),
    ]


def answer(verdict: Verdict, run: Run) -> None:
    """The verdict, the iteration in large type, the last std and the growth per product."""
    cells = "".join(
        f"<div><span>{escape(label)}</span><strong>{escape(value)}</strong>"
        f"<small>{escape(detail)}</small></div>"
        for label, value, detail in numbers(verdict, run)
    )
    st.html(
        f"""<div class="gi-answer" role="status" aria-live="polite">
        <p class="gi-verdict gi-{verdict.kind}"><b>{verdict.kind}</b> {escape(verdict.sentence)}</p>
        <div class="gi-stage"><div class="gi-numbers">{cells}</div></div></div>"""
    )


def torch_checks(verdict: Verdict, run: Run) -> None:
    """What the lesson's own loop would find, and why it may differ from the truth."""
    events = run.events

    def said(index: int | None) -> str:
        return "never" if index is None else f"i = {index}"

    notes = "".join(f"<p>{escape(note)}</p>" for note in verdict.notes)
    st.html(
        f"""<div class="gi-checks"><p>First NaN that the lesson's loop would see on {run.device}:
        <code>x.std()</code> <b>{said(events.notebook_std_nan)}</b>,
        <code>x.mean()</code> <b>{said(events.notebook_mean_nan)}</b>.
        First element that is not finite: <b>{said(events.first_nonfinite)}</b>.
        <small>Layer k is x after k products; the loop's index is i = k − 1.</small></p>
        {notes}</div>"""
    )
