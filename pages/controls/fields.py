"""Widgets made from Experiment's own description of its fields, and the way back."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import lru_cache

import streamlit as st

from core.host.devices import available_devices
from core.question.experiment import DEFAULTS, PARAMETERS, SCALE_STOPS
from pages.controls.state import _BOUND, _text

_LARGEST_NEW_SEED = 2**31
_ARITHMETIC = ("bias_std", "number_format", "batch_size")


@lru_cache(maxsize=512)
def _slider_options(name: str, here: object, width: int) -> tuple[object, ...]:
    """A slider's stops, with the lesson's own for the scale, and wherever it stands now."""
    options: set[object] = {*PARAMETERS[name].stops, here, DEFAULTS[name]}
    if name == "scale":
        options |= {stop for stop in SCALE_STOPS if "n" in stop}

    def size(option: object) -> float:
        return SCALE_STOPS[option](width) if isinstance(option, str) else option

    return tuple(sorted(options, key=size))


def control(name: str, *, bound: bool = True) -> None:
    """The widget of one field.

    A bound one keeps the address by itself, and takes its parameter along when it is not drawn any
    more. One that is not always there is not bound: ``unbound`` is what the page then has to write.
    """
    parameter = PARAMETERS[name]
    shared = {"key": name, "help": parameter.help}
    if bound:
        st.session_state[_BOUND].add(name)
        shared["bind"] = "query-params"
    else:
        shared["persist_state"] = "session"
    default = DEFAULTS[name]
    if parameter.kind == "choice" and len(parameter.choices) <= 2:
        st.segmented_control(
            parameter.label, parameter.choices, default=default, required=True, **shared
        )
    elif parameter.kind == "choice":
        options = list(parameter.choices)
        st.selectbox(parameter.label, options, index=options.index(default), **shared)
    elif parameter.stops:
        st.select_slider(
            parameter.label,
            _slider_options(name, st.session_state[name], int(st.session_state["width"])),
            value=default,
            format_func=_text,
            **shared,
        )
    else:
        st.text_input(parameter.label, value=str(default), **shared)


def scale_stops() -> None:
    """Buttons for the lesson's own scale factors; 1/√n and √(2/n) stay right when n moves.

    Buttons, because a click carries no state: of a choice the browser would send what it was
    before, with the next step of a quick slider, and that would look like a new choice.
    """
    scale = st.session_state["scale"]
    shown = scale if isinstance(scale, str) else _text(scale)
    with st.container(horizontal=True, gap="xsmall"):
        for stop in SCALE_STOPS:
            st.button(
                stop,
                key=f"scale_stop_{stop}",
                type="primary" if stop == shown else "secondary",
                width="content",
                on_click=_apply_stop,
                args=(stop,),
            )


def _apply_stop(stop: str) -> None:
    st.session_state["scale"] = stop if "n" in stop else float(stop)


def relu_switch() -> None:
    """ReLU on or off; any other activation is chosen in its own list."""
    st.session_state["relu"] = st.session_state["activation"] == "relu"
    st.toggle(
        "ReLU",
        key="relu",
        help="max(x, 0) after every product. Off: the bare product.",
        on_change=_apply_relu,
    )


def _apply_relu() -> None:
    st.session_state["activation"] = "relu" if st.session_state["relu"] else "linear"


def redraw_button() -> None:
    """Draws a new seed."""
    st.button("Draw again", on_click=_redraw, help="A new seed: new weights, new input.")


def _redraw() -> None:
    st.session_state["seed"] = str(secrets.randbelow(_LARGEST_NEW_SEED))


def current_device() -> str:
    """Where to compute. It is not part of the link: a link opens on every host."""
    return str(st.session_state.get("device", available_devices()[0]))


def device_control() -> None:
    """The devices that this host offers, if there is a choice."""
    devices = available_devices()
    if len(devices) > 1:
        st.selectbox(
            "Device",
            devices,
            key="device",
            persist_state="session",
            help="Where the products are computed.",
        )


def main_controls(shows: Callable[[str], bool] = lambda name: True) -> None:
    """The four that the lesson turns, width, depth, scale factor, ReLU, where they are shown."""
    for name in ("width", "depth", "scale"):
        if shows(name):
            control(name)
    if shows("scale"):
        scale_stops()
    if shows("relu"):
        relu_switch()


def more_controls(*, number_format: bool = True) -> None:
    """Everything else that an Experiment has; without the number format where it is no choice.

    Most viewers never open it, and a step of a slider is answered sooner without its widgets.
    """
    chosen = "number format, " if number_format else ""
    middle = [name for name in _ARITHMETIC if number_format or name != "number_format"]
    label = f"More: activation, initialiser, weights, bias, {chosen}inputs, seed"
    more = st.expander(label, key="more", on_change="rerun")
    if not more.open:
        return
    with more:
        network, arithmetic, numbers = st.columns(3, gap="medium")
        with network:
            for name in ("activation", "init", "weights"):
                control(name, bound=False)
        with arithmetic:
            for name in middle:
                control(name, bound=False)
        with numbers:
            control("seed", bound=False)
            redraw_button()
            device_control()
