"""Number formats: one experiment in all of them, and the scale factors with which each holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import TypeVar

import streamlit as st

from core import charts
from core.layer.number_formats import FORMAT_FAMILIES
from core.question.experiment import Experiment
from core.reading import loss_windows
from core.reading.comparison import FormatRow, carriers, conventions, format_row
from core.text import shown
from core.theory.loss_windows import loss_windows as predicted_windows
from core.theory.windows import Window, has_window, scale_windows
from pages.controls import address, arrival, fields, layer, state, widget
from pages.exploring import pinned
from pages.figures.chart import show
from pages.maps.words import say
from pages.words import page, table
from pages.work import answers
from pages.work.progress import Progress, place_over_the_next

_COLUMNS = {
    "Smallest": "The smallest positive number: a subnormal, unless the format flushes those to 0. "
    "Half of it, and less, is rounded to 0.",
    "Largest": "The largest finite value.",
    "Overflow at i": "The loop index of the product after which an element is Inf or NaN; "
    "(Inf) where none is NaN yet.",
    "Overflow predicted": "Over all seeds, from the exact law at this width, where one is known.",
    "All zero at i": "The loop index of the product after which every element is exactly 0.",
    "All zero predicted": "Over all seeds, from the exact law at this width, where one is known.",
    "Stuck at the end": "The share of the last layer's elements other than zero that are at the "
    "largest value. Only a format without Inf and NaN saturates.",
}
_NOTES = {
    "conventions": "Each other convention stands below the usual one of its format.",
    "block-scaled": "Only the operands of products are held in blocks. Layers store bfloat16, "
    "which gives the range. Laws and windows leave the rounding of the blocks out.",
}
_Found = TypeVar("_Found")
_NUMBER = re.compile(r"\d[\d.e+]*")
_CAPTION = "Measured with this seed, beside what is predicted over all seeds."

_NO_WINDOW = (
    "Theory knows no window of layers with a skip, a norm or another branch than φ(a @ x + b): "
    "the runs above and the measured windows below are real."
)


def _in_each(
    experiment: Experiment,
    names: tuple[str, ...],
    device: str,
    ask: Callable[..., _Found],
    doing: str,
) -> tuple[dict[str, _Found], dict[str, str]]:
    """Format -> its answer, and format -> why the host refuses it.

    Args:
        experiment: the question, in any format.
        names: the formats.
        device: where it is computed.
        ask: for the answer, as `answers.run`.
        doing: what is being done, for the progress bar.
    """
    found: dict[str, _Found] = {}
    refused: dict[str, str] = {}
    bar = place_over_the_next(f"_{ask.__name__}")
    share = 1 / len(names)
    for place, name in enumerate(names):
        progress = Progress(bar, f"{doing} in {name}…", (place * share, share))
        try:
            found[name] = ask(experiment.replace(number_format=name), device, progress)
        except ValueError as error:
            refused[name] = str(error)
    bar.empty()
    return found, refused


def _refusals(refused: dict[str, str]) -> None:
    """Draw each reason once, with the formats that it holds for and the numbers of the first."""
    reasons: dict[str, tuple[list[str], str]] = {}
    for name, reason in refused.items():
        names, _ = reasons.setdefault(_NUMBER.sub("", reason), ([], reason))
        names.append(name)
    for names, reason in reasons.values():
        st.error(f"{', '.join(names)}: {reason}")


def _table(rows: list[FormatRow]) -> None:
    """Draw the fate of the signal in each format, measured beside predicted."""
    cells = [(escape(row.name), _cells(row)) for row in rows]
    table.show(_CAPTION, "Format", _COLUMNS, cells, below=_reasons(rows))


def _cells(row: FormatRow) -> tuple[str, ...]:
    texts = (
        *row.range,
        row.overflow,
        row.overflow_predicted,
        row.all_zero,
        row.all_zero_predicted,
        row.saturated,
    )
    return tuple(escape(text) for text in texts)


def _reasons(rows: list[FormatRow]) -> str:
    """Why no law is known, each reason once."""
    reasons = dict.fromkeys(row.reason for row in rows if row.reason)
    return "".join(f"<p>{escape(reason)}</p>" for reason in reasons)


def _windows(experiment: Experiment, names: tuple[str, ...]) -> None:
    st.html(
        """<h2 class="gi-heading">The scale window</h2><p class="gi-words">Between which scale
        factors does a format carry the signal through all layers? The bars are predicted by
        infinite-width theory, for the typical network with independent weights, tied or fresh.
        Above its window the largest element, taken as √(2 ln N) times the rms where x has N
        elements, or the largest weight leaves the range. Below it the last layer's typical element
        is so small that it is rounded to 0.</p>"""
    )
    if not has_window(experiment):
        st.html(f'<p class="gi-words">{_NO_WINDOW}</p>')
        return
    windows = scale_windows(experiment, names)
    show(charts.scale_windows(windows, experiment.scale, experiment.width), key="windows")


def _way_back(experiment: Experiment, names: tuple[str, ...], device: str) -> None:
    """Draw what the gradient loses in each format, and the loss scales that keep it."""
    st.html(
        """<h2 class="gi-heading">The way back</h2><p class="gi-words">A gradient of ordinary size
        at the output goes back through the same layers, in the same format. How much of it is
        rounded to zero at each layer?</p>"""
    )
    widget.control("loss_scale", bound=False)
    known = (*names, *{"float64"}.difference(names))
    backs, refused = _in_each(experiment, known, device, answers.there_and_back, "Going back")
    _refusals(refused)
    exact = backs.get("float64")
    backs = {name: back for name, back in backs.items() if name in names}
    if backs:
        show(charts.lost_by_format(backs, exact), key="lost")
    st.html(
        """<h3 class="gi-heading">The loss scale window</h3><p class="gi-words">Between which loss
        scales does a format carry signal and gradient at once? The bars are predicted by
        infinite-width theory: above its window an element of a gradient, or of a weight gradient,
        leaves the range; below it half of the elements of one of them are rounded to 0.</p>"""
    )
    measured = _measured_windows(experiment, names)
    if not has_window(experiment):
        told = loss_windows.sentence(measured, experiment.loss_scale) if measured else _NO_WINDOW
        st.html(f'<p class="gi-words">{escape(told)}</p>')
        return
    predicted = predicted_windows(experiment, names)
    told = loss_windows.sentence(measured or predicted, experiment.loss_scale)
    st.html(f'<p class="gi-words">{escape(told)}</p>')
    figure = charts.loss_windows(predicted, measured, experiment.loss_scale)
    show(figure, key="loss_windows")
    if measured:
        _loss_table(predicted, measured)


def _measured_windows(experiment: Experiment, names: tuple[str, ...]) -> dict[str, Window]:
    """Draw the switch, and find the windows with real gradients if it is on."""
    wanted = st.toggle(
        "Measure the windows with real gradients",
        key="measured",
        bind="query-params",
        help="Real gradients at loss scales around both ends, powers of two from 2^−24 to 2^24.",
    )
    if not wanted:
        return {}
    bar = place_over_the_next("_loss_windows")
    try:
        progress = Progress(bar, "Going back at other loss scales…")
        return answers.loss_windows(experiment, names, progress)
    except ValueError as error:
        st.error(str(error))
        return {}
    finally:
        bar.empty()


def _refuse_switches() -> None:
    """Say it if the link asks for what a switch of this page is not."""
    told = []
    asked = st.query_params.get("measured", "false")
    if asked not in ("true", "false"):
        told.append(f"measured must be true or false, got {shown(asked)}: false is used")
    asked = st.query_params.get("family", "plain")
    if asked not in FORMAT_FAMILIES:
        allowed = ", ".join(FORMAT_FAMILIES)
        told.append(f"family must be one of {allowed}, got {shown(asked)}: plain is used")
    arrival.add_problems(told)


def _family() -> tuple[str, ...]:
    """Draw the choice of a family of formats; returns their names."""
    chosen = st.segmented_control(
        "Formats",
        list(FORMAT_FAMILIES),
        default="plain",
        required=True,
        key="family",
        bind="query-params",
        help="Which formats are compared: the plain ones, those by another convention that is in "
        "use too, each beside its usual one, or those that hold operands in blocks with a scale.",
    )
    if chosen in _NOTES:
        st.html(f'<p class="gi-words">{_NOTES[chosen]}</p>')
    return FORMAT_FAMILIES[chosen]


def _loss_table(predicted: dict[str, Window], measured: dict[str, Window]) -> None:
    rows = [
        (
            escape(name),
            tuple(loss_windows.in_words(each[name]) for each in (predicted, measured)),
        )
        for name in measured
    ]
    caption = "Loss scales that carry signal and gradient, with this seed and by theory."
    table.show(caption, "Format", {"By theory": "", "Measured": "Powers of two."}, rows)


def _page() -> None:
    arrival.adopt_link("number-formats")
    _refuse_switches()
    pinned.adopt_link()
    experiment, refused_values = state.current()
    device = fields.current_device()
    left, right = st.columns([3, 1], gap="medium")
    below = st.container()
    with right:
        fields.main_controls()
        layer.controls()
    with below:
        fields.more_controls(explores=False)
    with left:
        page.warn(refused_values + arrival.link_problems(experiment))
        chart = st.container()
    with chart:
        names = _family()
        runs, refused = _in_each(experiment, names, device, answers.run, "Multiplying")
        _refusals(refused)
        if runs:
            say(carriers(runs))
            show(charts.std_by_format(runs), key="formats", urgent=True)
    _windows(experiment, names)
    if runs:
        st.html('<h2 class="gi-heading">What became of the signal</h2>')
        _table([format_row(run, answers.prediction(run.experiment)) for run in runs.values()])
        st.html("".join(f'<p class="gi-words">{escape(told)}</p>' for told in conventions(runs)))
        _way_back(experiment, names, device)
    own = state.unbound()
    address.write(own, own)


page.style()
st.html(
    "<h1 class='gi-title'>The same <code>x = a @ x</code> in many number formats: "
    "which of them carries it?</h1>"
)
_page()
