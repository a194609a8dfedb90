"""Widgets made from Experiment's own description of its fields, and the way back."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import urlencode

import streamlit as st

from core.devices import available_devices
from core.experiment import DEFAULTS, PARAMETERS, SCALE_STOPS, Experiment
from core.parameter import format_number
from core.pins import from_text, scale_name, to_text
from pages import _address

# What a link may hold beside the experiment's own fields; others read it.
_BESIDE = re.compile(
    r"pin_.*|ensemble|step|done|teach|open|repetitions|hide|view|x|y|measure|networks|real",
    re.DOTALL,
)
_LINKED = "_linked_experiment"
_CARRIED = "_carried_between_pages"
_PAGE = "_page"
_OPEN = "open"
_BOUND = "_bound_to_the_address"
_REFUSED = "_refused_of_what_was_opened"
_LARGEST_NEW_SEED = 2**31
_ARITHMETIC = ("bias_std", "number_format", "batch_size")


def adopt_link(page: str) -> None:
    """Let the controls of a page of ours start from what the link asks for.

    The link is read once per session and page, before any widget exists: Streamlit would replace
    a bad value by the default without a word. Where a value was not accepted the address is mended.
    """
    _arrive(page)
    st.session_state[_BOUND] = set()
    if _LINKED not in st.session_state:
        everything = st.query_params.to_dict()
        query = {name: text for name, text in everything.items() if not _BESIDE.fullmatch(name)}
        experiment, problems = Experiment.from_query(query)
        st.session_state[_LINKED] = experiment, problems + st.session_state.pop(_REFUSED, [])
        mended = {name: _text(_state_of(name, experiment)) for name in PARAMETERS if name in query}
        if any(query[name] != text for name, text in mended.items()):
            st.query_params.update(mended)
            st.rerun()
    linked, _ = st.session_state[_LINKED]
    for name in PARAMETERS:
        st.session_state.setdefault(name, _state_of(name, linked))
    own = {name: _text(st.session_state[name]) for name in PARAMETERS}
    carry({name: None if text == _DEFAULT_TEXTS[name] else text for name, text in own.items()})


def _arrive(page: str) -> None:
    """On another page of ours, go on with what was set on the last one, or with what a link opens.

    Widgets are bound to the address, which the menu leaves empty; and a page may lack some.
    """
    before = st.session_state.get(_PAGE, page)
    st.session_state[_PAGE] = page
    carried = _carried()
    opened = st.query_params.to_dict().get(_OPEN)
    if page == before and _address.went_back("controls"):
        _go_back()
        return
    if page == before and opened is None:
        return
    for name in (*PARAMETERS, *carried, _LINKED):
        st.session_state.pop(name, None)
    if _address.goes_back():
        _address.restore()
        return
    if opened is not None:
        experiment, st.session_state[_REFUSED] = from_text(opened)
        carry(_changed(experiment or Experiment()))
        del st.query_params[_OPEN]
    elif any(name in st.query_params for name in PARAMETERS):
        return
    if opened is not None or carried:
        st.query_params.update(_carried())
        st.rerun()


def _go_back() -> None:
    """The controls stand where an older address says."""
    query = st.query_params.to_dict()
    if not is_opening(query):
        asked = {name: query[name] for name in PARAMETERS if name in query}
        take(Experiment.from_query(asked)[0])


def leave(page: str) -> None:
    """A page without these controls is on screen; who comes back goes on with what was set."""
    st.session_state[_PAGE] = page


def opening(experiment: Experiment) -> dict[str, str]:
    """The query of a link from one of our pages to another, to open this experiment there.

    In one parameter: of a query the browser drops whatever the page it leaves has a widget for.
    """
    return {_OPEN: to_text(experiment)}


def is_opening(query: Mapping[str, str]) -> bool:
    """Whether an address is that of a link of ours on its way, which says nothing of this page."""
    return _OPEN in query


def _changed(experiment: Experiment) -> dict[str, str | None]:
    """What an address must say of an experiment: None for what is as usual."""
    texts = {name: _text(_state_of(name, experiment)) for name in PARAMETERS}
    return {name: None if text == _DEFAULT_TEXTS[name] else text for name, text in texts.items()}


def _carried() -> dict[str, str]:
    """What was set on pages of this kind: the lesson has a size of its own."""
    kind = "lesson" if st.session_state[_PAGE] == "lesson" else "tools"
    return st.session_state.setdefault(_CARRIED, {}).setdefault(kind, {})


def carry(query: Mapping[str, str | None]) -> None:
    """Remember parts of the address for other pages; None what is not in it any more."""
    carried = _carried()
    for name, text in query.items():
        if text is None:
            carried.pop(name, None)
        else:
            carried[name] = text


def tell(problems: list[str]) -> None:
    """More that the link got wrong."""
    st.session_state[_LINKED][1].extend(problems)


def settle() -> None:
    """Something was chosen anew: what the link got wrong is settled."""
    st.session_state[_LINKED][1].clear()


def link_problems(experiment: Experiment) -> list[str]:
    """What the link got wrong, in sentences, until a control is moved."""
    linked, problems = st.session_state[_LINKED]
    if experiment != linked:
        problems.clear()
    return list(problems)


def _state_of(name: str, experiment: Experiment) -> object:
    if name == "scale":
        return scale_name(experiment) or experiment.scale
    value = getattr(experiment, name)
    return str(value) if name == "seed" else value


def take(experiment: Experiment) -> None:
    """Let the controls stand for an experiment."""
    for name in PARAMETERS:
        st.session_state[name] = _state_of(name, experiment)


@lru_cache(maxsize=4096)
def _text(value: object) -> str:
    return format_number(value) if isinstance(value, float) else str(value)


_DEFAULTS = Experiment().to_query()
_DEFAULT_TEXTS = {name: _text(_state_of(name, Experiment())) for name in PARAMETERS}


def current() -> tuple[Experiment, list[str]]:
    """The Experiment that the controls stand for, and what in them was not accepted."""
    return Experiment.from_query({name: _text(st.session_state[name]) for name in PARAMETERS})


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


def unbound() -> dict[str, str | None]:
    """What the address must say of the fields that no widget keeps there; None of what is usual."""
    bound = st.session_state[_BOUND]
    return {n: text for n, text in _changed(current()[0]).items() if n not in bound}


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


def link(experiment: Experiment, beside: Mapping[str, str], *, brief: bool = False) -> str:
    """The address that shows this experiment and what is beside it.

    Every field is spelled out; if it is to be brief, those that have their default are left out.
    """
    query = experiment.to_query()
    if brief:
        query = {name: text for name, text in query.items() if text != _DEFAULTS[name]}
    address = (st.context.url or "").split("?")[0]
    return f"{address}?{urlencode(query | dict(beside), safe=':,')}".removesuffix("?")
