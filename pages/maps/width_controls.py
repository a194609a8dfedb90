"""The controls of the width sweep: widths, layers, networks, and the initialisation."""

from __future__ import annotations

import streamlit as st

from core.maps.landscape import Landscape
from core.question.experiment import PARAMETERS, Experiment
from core.sweep import Axis, parse, spaced
from core.sweep.coordinate_check import MEASURE, SIZES
from pages.controls import fields, widget
from pages.maps import on_screen

PAGE = "width-sweep"
DEFAULT = Landscape(
    Experiment(), parse("width=16..2048:8"), parse("depth=1,2,4,8"), MEASURE, networks=8
)
_WIDTHS = tuple(2**k for k in range(3, 13))
_LAYERS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
_MOST_LAYERS = 6
_NETWORKS = (4, 8, 16, 64)
_RULES = ("normal", "xavier_normal", "kaiming_normal", "torch_linear")


def others(landscape: Landscape) -> dict[str, Landscape]:
    """Measure -> the same widths and layers for each size that has no curves on the page."""
    return {name: landscape.replace(measure=name) for name in SIZES if name != landscape.measure}


def shape_problems(landscape: Landscape) -> list[str]:
    """Why a map is not a width sweep, in sentences; empty if it is one."""
    asked = landscape.to_query()
    problems = []
    for part, name in (("x", "width"), ("y", "depth")):
        if getattr(landscape, part).name != name:
            used = f"{DEFAULT.to_query()[part]} is used"
            problems.append(f"{part} must be of {name} here, got {asked[part]!r}: {used}")
    if landscape.measure not in SIZES:
        allowed = ", ".join(SIZES)
        problems.append(
            f"measure must be one of {allowed} here, got {landscape.measure!r}: {MEASURE} is used"
        )
    return problems


def rules() -> None:
    """Draw buttons for the initialisers that are compared most."""
    with st.container(horizontal=True, gap="xsmall"):
        for name in _RULES:
            st.button(
                PARAMETERS["init"].name_of(name),
                key=f"rule_{name}",
                type="primary" if st.session_state["init"] == name else "secondary",
                width="content",
                on_click=_apply_rule,
                args=(name,),
            )


def _apply_rule(name: str) -> None:
    st.session_state["init"] = name
    widget.follow_initialiser()


def controls(landscape: Landscape) -> None:
    """Draw the controls of the initialisation, the widths, the layers and the networks."""
    rules()
    for name in ("init", "activation", "weights"):
        widget.control(name)
    widths = [int(value) for value in landscape.x.values]
    on_screen.set_unless_same("sweep_widths", (widths[0], widths[-1]))
    st.select_slider(
        "Widths",
        sorted({*_WIDTHS, widths[0], widths[-1]}),
        (widths[0], widths[-1]),
        key="sweep_widths",
        on_change=_change_widths,
        help="From the narrowest to the widest network, about a doubling apart.",
    )
    layers = [int(value) for value in landscape.y.values]
    on_screen.set_unless_same("sweep_layers", layers)
    st.multiselect(
        "Layers",
        sorted({*_LAYERS, *layers}),
        layers,
        key="sweep_layers",
        max_selections=max(_MOST_LAYERS, len(layers)),
        on_change=_change_layers,
        help="The layers at which the size of the activations is measured. A gradient goes back "
        "through networks of so many layers.",
    )
    _curves(landscape)
    on_screen.set_unless_same("sweep_networks", landscape.networks)
    st.segmented_control(
        "Networks per width",
        sorted({*_NETWORKS, landscape.networks}),
        default=landscape.networks,
        key="sweep_networks",
        required=True,
        on_change=_change_networks,
    )


def _curves(landscape: Landscape) -> None:
    """Draw the choice of the size that has curves."""
    on_screen.set_unless_same("sweep_measure", landscape.measure)
    st.segmented_control(
        "Curves of the size of",
        list(SIZES),
        default=landscape.measure,
        key="sweep_measure",
        format_func=lambda name: SIZES[name].name,
        required=True,
        on_change=_change_measure,
        help="; ".join(f"{size.name}: {size.help}" for size in SIZES.values()),
    )


def _change_widths() -> None:
    """Put the widths between the chosen ends, about a doubling apart."""
    low, high = st.session_state["sweep_widths"]
    if low < high:
        doublings = (high // low).bit_length() - 1
        on_screen.change_map(PAGE, x=spaced("width", low, high, max(2, doublings + 1)))


def _change_layers() -> None:
    chosen = sorted(st.session_state["sweep_layers"])
    if chosen:
        on_screen.change_map(PAGE, y=Axis("depth", tuple(chosen)))


def _change_measure() -> None:
    measure = st.session_state["sweep_measure"]
    if measure:
        on_screen.change_map(PAGE, measure=measure)


def _change_networks() -> None:
    count = st.session_state["sweep_networks"]
    if count:
        on_screen.change_map(PAGE, networks=count)


def rest() -> None:
    """Draw the widgets of the other fields."""
    shown = {"width", "depth", "init", "activation", "weights"}
    with st.expander("More: scale factor, bias, number format, inputs, seed, layer"):
        left, right = st.columns(2, gap="medium")
        others = [name for name in widget.counting(PARAMETERS) if name not in shown]
        for place, name in enumerate(others):
            with (left, right)[place % 2]:
                widget.control(name)
        fields.redraw_button()
