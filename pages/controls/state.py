"""The experiment in the session and in the address, and on the way between pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlencode

import streamlit as st

from core.question.experiment import PARAMETERS, Experiment
from core.question.link import from_text, to_text
from core.question.naming import scale_name
from core.text import format_number
from pages.controls import address as _address

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


def unbound() -> dict[str, str | None]:
    """What the address must say of the fields that no widget keeps there; None of what is usual."""
    bound = st.session_state[_BOUND]
    return {n: text for n, text in _changed(current()[0]).items() if n not in bound}


def link(experiment: Experiment, beside: Mapping[str, str], *, brief: bool = False) -> str:
    """The address that shows this experiment and what is beside it.

    Every field is spelled out; if it is to be brief, those that have their default are left out.
    """
    query = experiment.to_query()
    if brief:
        query = {name: text for name, text in query.items() if text != _DEFAULTS[name]}
    address = (st.context.url or "").split("?")[0]
    return f"{address}?{urlencode(query | dict(beside), safe=':,')}".removesuffix("?")


def explore_link(label: str, experiment: Experiment) -> None:
    """The way to Explore."""
    st.page_link(
        "pages/explore.py",
        label=label,
        icon=":material/insights:",
        query_params=opening(experiment),
    )
