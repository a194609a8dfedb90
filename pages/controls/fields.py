"""The widgets of an Experiment's fields, made from its own description of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import streamlit as st

from core.host import devices
from core.layer.branches import NORMS
from core.layer.initializers import INITIALIZERS
from core.question.experiment import DEFAULTS, NAMED_STOPS, PARAMETERS, SCALE_STOPS
from core.question.parameter import Parameter
from pages.controls.state import bind, text_of

_LARGEST_NEW_SEED = 2**31
_OF_EXPLORE = ("number_format", "loss_scale")
_USUAL_BATCH = 32
_ARITHMETIC = ("bias_std", "number_format", "batch_size", "loss_scale")


@lru_cache(maxsize=512)
def _slider_options(
    name: str, stops: tuple[float, ...], here: object, width: int, depth: int
) -> tuple[object, ...]:
    """A slider's stops; its value now and its default; and the stops that follow the sizes."""
    named = NAMED_STOPS.get(name, {})
    options: set[object] = {*stops, here, DEFAULTS[name], *named}

    def size(option: object) -> float:
        return named[option](width, depth) if isinstance(option, str) else option

    return tuple(sorted(options, key=size))


def control(
    name: str,
    *,
    bound: bool = True,
    parameter: Parameter | None = None,
    disabled: bool = False,
) -> None:
    """Draw the widget of one field.

    Args:
        name: of the field.
        parameter: its description where the page allows less than the field's own.
        disabled: whether the field has no effect now.
        bound: whether Streamlit may bind the widget to the address. When a bound widget is no
            longer drawn, Streamlit removes its parameter. So a widget that is not always drawn is
            not bound, and the page writes what ``state.unbound`` returns. A menu of named choices
            is never bound: Streamlit would write the names into the address.
    """
    parameter = parameter or PARAMETERS[name]
    bound = bound and not parameter.names
    shared: dict[str, Any] = {"key": name, "help": parameter.help, "disabled": disabled}
    if bound:
        bind(name)
        shared["bind"] = "query-params"
    else:
        shared["persist_state"] = "session"
    # A bound widget is left out of the address at its default. Any other has its value as default:
    # what a script sends may be dropped where the viewer acts first, and the default is then drawn.
    default = DEFAULTS[name] if bound else st.session_state[name]
    if parameter.kind == "choice" and len(parameter.choices) <= 2:
        st.segmented_control(
            parameter.label, parameter.choices, default=default, required=True, **shared
        )
    elif parameter.kind == "choice":
        options = list(parameter.choices)
        if name in _FOLLOWERS:
            shared["on_change"] = _FOLLOWERS[name]
        st.selectbox(
            parameter.label,
            options,
            index=options.index(default),
            format_func=parameter.name_of,
            **shared,
        )
    elif parameter.stops:
        st.select_slider(
            parameter.label,
            _slider_options(
                name,
                parameter.stops,
                st.session_state[name],
                int(st.session_state["width"]),
                int(st.session_state["depth"]),
            ),
            value=default,
            format_func=text_of,
            **shared,
        )
    else:
        st.text_input(parameter.label, value=str(default), **shared)


def follow_initialiser() -> None:
    """Set the biases that the chosen initialiser's own layer draws; take them back with another."""
    rule, bias = INITIALIZERS[st.session_state["init"]], st.session_state["bias_std"]
    (usual,) = NAMED_STOPS["bias_std"]
    if rule.bias_std is not None and bias == 0:
        st.session_state["bias_std"] = usual
    elif rule.bias_std is None and bias == usual:
        st.session_state["bias_std"] = DEFAULTS["bias_std"]


def follow_norm() -> None:
    """Make the batch large enough for the chosen norm: a batch norm needs more than one input."""
    least = NORMS[st.session_state["norm"]].least_inputs
    if int(st.session_state["batch_size"]) < least:
        st.session_state["batch_size"] = max(least, _USUAL_BATCH)


_FOLLOWERS = {"init": follow_initialiser, "norm": follow_norm}


def add_bias() -> None:
    """Set the biases that the initialiser's own layer draws."""
    (st.session_state["bias_std"],) = NAMED_STOPS["bias_std"]


def scale_stops() -> None:
    """Draw a button for each of the lesson's scale factors; 1/√n and √(2/n) follow the width.

    They are buttons because a click carries no state. With a widget that has a state, a quick step
    of a slider would send the browser's old choice, and the server would take it for a new one.
    """
    stop_buttons("scale", SCALE_STOPS)


def stop_buttons(name: str, stops: Iterable[str], *, disabled: bool = False) -> None:
    """Draw a button for each of the usual values of a field; see `scale_stops`."""
    shown = text_of(st.session_state[name])
    with st.container(horizontal=True, gap="xsmall"):
        for stop in stops:
            st.button(
                stop,
                key=f"{name}_stop_{stop}",
                type="primary" if stop == shown and not disabled else "secondary",
                width="content",
                disabled=disabled,
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
