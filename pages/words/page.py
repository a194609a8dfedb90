"""The words beside a page's figures: the answer, torch's own checks, values that were refused."""

from __future__ import annotations

from html import escape
from math import isnan
from pathlib import Path

import streamlit as st

from core.reading.diagnosis import last_sound_size
from core.reading.gradient import both_ways, is_healthy
from core.reading.trainable import in_a_word
from core.reading.verdict import Verdict
from core.simulation.propagate import Run
from core.text import significant, typeset

_CSS = "".join((Path(__file__).parent / f"{of}.css").read_text() for of in ("words", "figures"))
_PROJECTOR_CSS = (Path(__file__).parent / "projector.css").read_text()
_TEACHING_CSS = (Path(__file__).parent / "teaching.css").read_text()


def style() -> None:
    """Send the style sheets of the words and the figures; once per page, not with every figure."""
    st.html(f"<style>{_CSS}</style>")


def name_tab(title: str) -> None:
    """Name the browser's tab after what is on screen."""
    st.set_page_config(page_title=f"{title} - Good Init")


def steady_style() -> None:
    """Keep a page that is drawn again and again from fading each time."""
    st.html("<style>[data-stale='true'] { opacity: 1 !important; transition: none; }</style>")


def projector_style() -> None:
    """Send Explore's style sheet with large type for a projector."""
    st.html(f"<style>{_PROJECTOR_CSS}</style>")


def teaching_style() -> None:
    """Send the lesson's style sheet with large type for a projector."""
    st.html(f"<style>{_TEACHING_CSS}</style>")


def warn(problems: list[str]) -> None:
    """Draw the sentences on values that were not accepted, in one box."""
    if problems:
        items = "".join(f"<li>{escape(problem)}</li>" for problem in dict.fromkeys(problems))
        st.html(f'<div class="gi-problems" role="alert"><ul>{items}</ul></div>')


def equation(latex: str) -> None:
    """Draw the equation of a layer above its chart, in the chart's own margin."""
    with st.container(key="equation"):
        st.markdown(f"${latex}$")


def numbers(verdict: Verdict, run: Run) -> list[tuple[str, str, str]]:
    """The three numbers of the answer: label, value and detail of each."""
    layer, size = last_sound_size(run)
    ended = layer < run.experiment.depth
    why = "zero" if run.stats.zero[-1] == 1 else "finite"
    where = f"at layer {layer}" + (f", the last {'not ' * (why == 'zero')}{why}" if ended else "")
    growth = "–" if isnan(verdict.growth) else f"× {significant(verdict.growth)}"
    mean = "no constant factor" if isnan(verdict.growth) else "a constant factor"
    return [
        (verdict.iteration_label, verdict.iteration, verdict.iteration_detail),
        (f"last {run.size_name}", significant(size), where),
        (f"growth per {run.experiment.step}", growth, mean),
    ]


def answer(
    verdict: Verdict,
    run: Run,
    predicted: str,
    gradient: Verdict | None = None,
    *,
    tells_theory: bool = True,
) -> None:
    """Draw the verdict and its numbers, the iteration in large type beside the predicted one.

    Args:
        verdict: on the signal.
        run: the signal.
        predicted: what was expected of the iteration.
        gradient: the other half of the verdict, on the gradient, if it is shown.
        tells_theory: whether the viewer may see to how many layers theory says that it learns.
    """
    if verdict.iteration == "none" and predicted == "predicted none":
        predicted = "as predicted"
    beside = [predicted, "", ""]
    cells = "".join(
        f"<div><span>{escape(label)}</span><strong>{escape(value)}</strong>"
        f"<small>{escape(detail)}</small>"
        + (f"<small class='gi-predicted'>{escape(more)}</small>" if more else "")
        + "</div>"
        for (label, value, detail), more in zip(numbers(verdict, run), beside, strict=True)
    )
    depth = in_a_word(run.experiment) if tells_theory else ""
    st.html(
        f"""<div class="gi-answer" role="status" aria-live="polite">
        <p class="gi-verdict gi-{verdict.kind}"><b>{verdict.kind}</b> {escape(verdict.sentence)}</p>
        {_half(verdict, gradient, depth) if gradient else ""}
        <div class="gi-stage"><div class="gi-numbers">{cells}</div></div></div>"""
    )


def _half(verdict: Verdict, gradient: Verdict, depth: str) -> str:
    """HTML: the gradient's half of the verdict, and a few words on both.

    Args:
        verdict: on the signal.
        gradient: on its gradient.
        depth: to how many layers theory says that it learns; empty if it does not say.
    """
    healthy = is_healthy(verdict.kind, gradient.kind)
    told = [both_ways(verdict.kind, gradient.kind) if healthy else "", depth]
    words = " ".join(f"{each[0].upper()}{each[1:]}." for each in told if each)
    return (
        f'<p class="gi-back gi-{gradient.kind}"><b>gradient {gradient.kind}</b> '
        f"{escape(gradient.sentence)} <em>{escape(words)}</em></p>"
    )


def paragraphs(sentences: list[str], *, of: str = "expected") -> None:
    """Draw sentences on a subject, each a paragraph; empty ones are left out."""
    body = "".join(f"<p>{typeset(escape(sentence))}</p>" for sentence in sentences if sentence)
    if body:
        st.html(f'<div class="gi-{of}">{body}</div>')


def torch_checks(verdict: Verdict, run: Run) -> None:
    """Draw the first NaN that torch's own checks of x give, and why they may give it early."""
    events = run.events
    checks = [
        ("x.std()", events.notebook_std_nan),
        ("x.mean()", events.notebook_mean_nan),
    ]
    stays = bool(run.stats.nan[-1])  # else an activation may have made a finite number of Inf
    told = "; ".join(_first_nan(code, index, stays) for code, index in checks)
    first = events.first_nonfinite
    element = "Every element is finite." if first is None else ""
    if first is not None:
        element = f"The first element that is not finite comes at <b>i = {first}</b>."
    notes = "".join(f"<p>{escape(note)}</p>" for note in verdict.notes)
    st.html(
        f"""<div class="gi-checks"><p>If you test with torch ({escape(run.device)}): {told}.
        {element}
        <small>Layer k is x after k {run.experiment.step}s; the loop's index is i = k − 1.</small>
        </p>
        {notes}</div>"""
    )


def _first_nan(code: str, index: int | None, stays: bool) -> str:
    """HTML: from which iteration on a function of torch is NaN, or its first NaN."""
    if index is None:
        return f"<code>{escape(code)}</code> is never NaN"
    when = f"from <b>i = {index}</b> on" if stays else f"first at <b>i = {index}</b>"
    return f"<code>{escape(code)}</code> is NaN {when}"
