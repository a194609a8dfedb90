"""The widget of one field of an Experiment, made from the field's own description."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import streamlit as st

from core.layer.branches import NORMS
from core.question.experiment import DEFAULTS, NAMED_STOPS, PARAMETERS
from core.question.parameter import Parameter
from core.question.presets import COUNTS_WITH, without_effect
from pages.controls import refusal
from pages.controls.state import bind, current, text_of, texts

_USUAL_BATCH = 32
_TYPED = "typed_"  # begins the key of a field beside a menu


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


def control(name: str, *, bound: bool = True, parameter: Parameter | None = None) -> None:
    """Draw the widget of one field.

    Args:
        name: of the field.
        parameter: its description where the page allows less than the field's own.
        bound: whether Streamlit may bind the widget to the address. When a bound widget is no
            longer drawn, Streamlit removes its parameter. So a widget that is not always drawn is
            not bound, and the page writes what ``state.unbound`` returns. A menu of named choices
            is never bound: Streamlit would write the names into the address. Nor is a field that
            counts beside some values of another alone: it is not drawn beside the others.
    """
    parameter = parameter or PARAMETERS[name]
    bound = bound and not parameter.names and name not in COUNTS_WITH
    shared: dict[str, Any] = {"key": name, "help": parameter.help}
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
        # A formula that was typed, or came with a link, is a choice as well while it is chosen.
        choices = list(dict.fromkeys([*parameter.choices, default]))
        if name in _FOLLOWERS:
            shared["on_change"] = _FOLLOWERS[name]
        st.selectbox(
            parameter.label,
            choices,
            index=choices.index(default),
            format_func=parameter.name_of,
            **shared,
        )
        if parameter.reader is not None:
            _typed(name, parameter)
    elif parameter.stops:
        sizes = (int(st.session_state[size]) for size in ("width", "depth"))
        options = _slider_options(name, parameter.stops, st.session_state[name], *sizes)
        st.select_slider(parameter.label, options, default, format_func=text_of, **shared)
    else:
        st.text_input(parameter.label, value=str(default), **shared)


def counting(names: Iterable[str]) -> list[str]:
    """Those of the fields that have an effect beside the others as they stand.

    Args:
        names: of the fields that a page draws. A choice that is not among them has many values
            there, and every field counts beside it.
    """
    drawn = list(names)
    idle = without_effect({name: text for name, text in texts().items() if name in drawn})
    return [name for name in drawn if name not in idle]


def follow_initialiser() -> None:
    """Set the biases that the chosen initialiser's own layer draws; take them back with another."""
    rule, bias = current()[0].rule, st.session_state["bias_std"]
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


def _typed(name: str, parameter: Parameter) -> None:
    """Draw a field for a value that the menu lacks; what is refused stays in it, to be mended."""
    key, here = _TYPED + name, st.session_state[name]
    if not refusal.is_told(key):
        st.session_state[key] = "" if here in parameter.choices else here
    st.text_input(
        f"{parameter.label}, typed",
        key=key,
        placeholder=f"or type {parameter.example}",
        label_visibility="collapsed",
        on_change=_take,
        args=(name,),
    )
    refusal.tell(key)


def _take(name: str) -> None:
    """Take what was typed, by our name for it; where it is not accepted, the value before stays."""
    parameter, text = PARAMETERS[name], st.session_state[_TYPED + name].strip()
    refusal.forget()
    if not text:
        return
    value = parameter.parse(text)
    if not parameter.accepts(value):
        here = st.session_state[name]
        refusal.refuse(_TYPED + name, f"{parameter.refusal(name, text)}: {here} stays")
        return
    st.session_state[name] = value
    if name in _FOLLOWERS:
        _FOLLOWERS[name]()
