"""The groups of an Experiment's fields: the lesson's four controls, and all others."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable

import streamlit as st

from core.host import devices
from core.question.experiment import NAMED_STOPS, SCALE_STOPS
from pages.controls.state import text_of
from pages.controls.widget import control

_LARGEST_NEW_SEED = 2**31
_OF_EXPLORE = ("number_format", "loss_scale")
_ARITHMETIC = ("bias_std", "number_format", "batch_size", "loss_scale")


def add_bias() -> None:
    """Set the biases that the initialiser's own layer draws."""
    (st.session_state["bias_std"],) = NAMED_STOPS["bias_std"]


def scale_stops() -> None:
    """Draw a button for each of the lesson's scale factors; 1/√n and √(2/n) follow the width.

    They are buttons because a click carries no state. With a widget that has a state, a quick step
    of a slider would send the browser's old choice, and the server would take it for a new one.
    """
    stop_buttons("scale", SCALE_STOPS)


def stop_buttons(name: str, stops: Iterable[str]) -> None:
    """Draw a button for each of the usual values of a field; see `scale_stops`."""
    shown = text_of(st.session_state[name])
    with st.container(horizontal=True, gap="xsmall"):
        for stop in stops:
            st.button(
                stop,
                key=f"{name}_stop_{stop}",
                type="primary" if stop == shown else "secondary",
                width="content",
                on_click=_apply_stop,
                args=(name, stop),
            )


def _apply_stop(name: str, stop: str) -> None:
    st.session_state[name] = stop if stop in NAMED_STOPS[name] else float(stop)


def relu_switch() -> None:
    """Draw the switch for ReLU; off is the linear network. Other activations are in a list."""
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
    """Draw the button that chooses a new seed."""
    st.button("Draw again", on_click=_redraw, help="A new seed: new weights, new input.")


def _redraw() -> None:
    st.session_state["seed"] = str(secrets.randbelow(_LARGEST_NEW_SEED))


def current_device() -> str:
    """The chosen device. It is not part of a link, for other hosts may not have it."""
    return str(st.session_state.get("device", devices.available_devices()[0]))


def device_control() -> None:
    """Draw the list of devices, if this host has more than one."""
    offered = devices.available_devices()
    if len(offered) > 1:
        st.selectbox(
            "Device",
            offered,
            key="device",
            persist_state="session",
            help="Where the products are computed.",
        )


def main_controls(shows: Callable[[str], bool] = lambda name: True) -> None:
    """Draw the lesson's four controls, width, depth, scale factor and ReLU, if they are shown."""
    for name in ("width", "depth", "scale"):
        if shows(name):
            control(name)
    if shows("scale"):
        scale_stops()
    if shows("relu"):
        relu_switch()


def more_controls(*, explores: bool = True) -> None:
    """Draw the other fields, folded away.

    The widgets are made only while the part is open: without them a slider's step is answered
    sooner, and most viewers never open it.

    Args:
        explores: whether the page shows one number format, which is chosen here, and a gradient,
            which a loss scale multiplies.
    """
    chosen = "number format, " if explores else ""
    middle = [name for name in _ARITHMETIC if explores or name not in _OF_EXPLORE]
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
