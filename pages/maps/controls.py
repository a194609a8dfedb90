"""The controls of a map: its axes, its cells, its colour, its networks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import streamlit as st

from core.maps.fitting import CELLS_A_SIDE, NETWORKS
from core.maps.landscape import Landscape
from core.question.experiment import PARAMETERS
from core.sweep import AXES, MEASURES, Axis, measure_of, spaced
from core.text import written
from pages.controls import fields, refusal, widget
from pages.maps import on_screen
from pages.maps.presets import PAGE

_RANGES = {
    "scale": (1e-2, 1e1),
    "sigma_w": (0.5, 3.0),
    "bias_std": (0.0, 1.0),
    "width": (16, 2048),
    "depth": (1, 200),
    "branch_scale": (1e-2, 1e0),
}
_COLOURS = (
    "first_nonfinite",
    "all_zero",
    "log2_std",
    "zero",
    "gradient_ratio",
    "gradient_break",
    "gradient_lost",
    "chi_1",
    "xi_c",
    "trainable_depth",
    "q_star",
)
_SIGMA_W_STOPS = tuple(k / 20 for k in range(101))
_REAL = (
    "Multiply real matrices in the real number format, one network after the other, even where "
    "theory, or a faster method that is exact in law, could answer."
)


def controls(landscape: Landscape) -> None:
    """Draw the controls of both axes, of the cells, the colour and the networks."""
    _axis("x", "Across", landscape)
    _axis("y", "Up", landscape)
    _cells(landscape)
    _colour(landscape)
    of_theory = landscape.question.entry.of_theory is not None
    _choice("networks", "Networks per cell", NETWORKS, landscape.networks, disabled=of_theory)
    on_screen.set_unless_same("map_real", landscape.real)
    st.toggle(
        "Measure it for real",
        landscape.real,
        key="map_real",
        help=_REAL,
        disabled=of_theory,
        on_change=_change_part,
        args=("real",),
    )


def _change_part(part: str) -> None:
    value = st.session_state[f"map_{part}"]
    if value is not None:
        on_screen.change_map(PAGE, **{part: value})


def _choice(part: str, label: str, options: tuple[int, ...], here: int, *, disabled: bool) -> None:
    on_screen.set_unless_same(f"map_{part}", here)
    st.segmented_control(
        label,
        sorted({*options, here}),
        default=here,
        key=f"map_{part}",
        required=True,
        disabled=disabled,
        on_change=_change_part,
        args=(part,),
    )


def _colour(landscape: Landscape) -> None:
    here = landscape.measure
    on_screen.set_unless_same("map_measure", here)
    offered = [*_COLOURS, *({here} - {*_COLOURS})]
    st.selectbox(
        "Colour",
        offered,
        offered.index(here),
        key="map_measure",
        format_func=_measure_label,
        help=landscape.question.entry.help,
        on_change=_change_part,
        args=("measure",),
    )


def _measure_label(text: str) -> str:
    name, layer = measure_of(text)
    measure = MEASURES[name]
    if not measure.at_a_layer:
        return measure.label
    label = "fraction of zeros" if name == "zero" else measure.label
    return f"{label}, {'last layer' if layer is None else f'layer {layer}'}"


def _axis(letter: str, label: str, landscape: Landscape) -> None:
    """Draw the choice of an axis's field, and of its ends or its values."""
    axis: Axis = getattr(landscape, letter)
    on_screen.set_unless_same(f"map_{letter}", axis.name)
    st.selectbox(
        label,
        list(AXES),
        list(AXES).index(axis.name),
        key=f"map_{letter}",
        format_func=lambda name: AXES[name].label,
        help=axis.parameter.help,
        on_change=_rename,
        args=(letter,),
    )
    key = f"map_{letter}_{axis.name}"
    shown: dict[str, Any] = {"label_visibility": "collapsed"}
    words = f"{axis.parameter.label}: values on the map"
    changed = {"key": key, "on_change": _change_values, "args": (letter, axis.name)}
    if axis.is_choice:
        here, named = list(axis.values), axis.parameter.name_of
        on_screen.set_unless_same(key, here)
        options = list(dict.fromkeys([*axis.parameter.choices, *here]))
        shown["accept_new_options"] = axis.parameter.reader is not None
        st.multiselect(words, options, here, format_func=named, **changed, **shown)
        refusal.tell(key)
        return
    ends = (min(axis.values), max(axis.values))
    on_screen.set_unless_same(key, ends)
    options = _options(axis.name, *ends)
    st.select_slider(words, options, value=ends, format_func=written, **changed, **shown)


@lru_cache(maxsize=512)
def _options(name: str, low: float, high: float) -> list[float]:
    stops = _SIGMA_W_STOPS if name == "sigma_w" else AXES[name].stops or tuple(range(101))
    return sorted({*stops, *_RANGES.get(name, ()), low, high})


def _rename(letter: str) -> None:
    """Put another field on an axis.

    If the other axis cannot stay beside it, that one gets the field that was here.
    """
    here: Landscape = on_screen.stored(PAGE)
    name, other = st.session_state[f"map_{letter}"], "y" if letter == "x" else "x"
    changes = {letter: _usual(name, _count(here))}
    left = getattr(here, other)
    if {name, left.name} == {"scale", "sigma_w"} or name == left.name:
        changes[other] = getattr(here, letter)
    on_screen.change_map(PAGE, **changes)


def _usual(name: str, count: int) -> Axis:
    """The axis of a field that was just chosen."""
    parameter = AXES[name]
    if parameter.kind == "choice":
        return Axis(name, parameter.choices)
    stops = parameter.stops or (0, count - 1)
    return spaced(name, *_RANGES.get(name, (stops[0], stops[-1])), count)


def _change_values(letter: str, name: str) -> None:
    """Give an axis other values of the same field."""
    chosen = st.session_state[f"map_{letter}_{name}"]
    here: Axis = getattr(on_screen.stored(PAGE), letter)
    if here.name != name:
        return  # the axis has another field by now
    if here.is_choice:
        values = dict.fromkeys(here.parameter.parse(text) for text in chosen)
        accepted = tuple(value for value in values if here.parameter.accepts(value))
        if accepted:
            on_screen.change_map(PAGE, **{letter: Axis(name, accepted)})
        refused = [text for text in chosen if here.parameter.parse(text) not in accepted]
        refusal.forget()
        if refused:
            refusal.refuse(f"map_{letter}_{name}", here.parameter.refusal(name, refused[0]))
        return
    on_screen.change_map(PAGE, **{letter: spaced(name, *chosen, _count(on_screen.stored(PAGE)))})


def _count(landscape: Landscape) -> int:
    """Cells a side: the number that was chosen here, else that of the longest axis."""
    for axis in (landscape.x, landscape.y):
        for count in CELLS_A_SIDE:
            if not axis.is_choice and axis.with_count(count) == axis:
                return count
    return landscape.cells_a_side or CELLS_A_SIDE[1]


def _cells(landscape: Landscape) -> None:
    here = _count(landscape)
    on_screen.set_unless_same("map_cells", here)
    st.segmented_control(
        "Cells a side",
        sorted({*CELLS_A_SIDE, here}),
        default=here,
        key="map_cells",
        required=True,
        on_change=_change_cells,
    )


def _change_cells() -> None:
    """Put more or fewer cells between the same ends."""
    count = st.session_state["map_cells"]
    if count is not None:
        changed = on_screen.stored(PAGE).with_cells(count)
        on_screen.change_map(PAGE, x=changed.x, y=changed.y)


def rest(landscape: Landscape) -> None:
    """Draw the widgets of the fields that are not on an axis."""
    same = widget.counting(name for name in PARAMETERS if name not in landscape.varied)
    with st.expander("What is the same in every cell: depth, activation, initialiser, layer, …"):
        left, right = st.columns(2, gap="medium")
        for place, name in enumerate(same):
            with (left, right)[place % 2]:
                widget.control(name)
        fields.redraw_button()
