"""The experiment that the controls stand for, in Streamlit's session."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import streamlit as st

from core.question.experiment import NAMED_STOPS, PARAMETERS, Experiment
from core.question.naming import stop_name
from core.text import written

_BOUND = "_bound_to_the_address"
PAGE = "_page"
"""The key of the session under which the page on screen is noted."""

DEFAULT_TEXTS = Experiment().to_query()

text_of = lru_cache(maxsize=4096)(written)
"""``written``, remembered: a slider asks for the text of all its stops whenever it is drawn."""


def value_of(name: str, experiment: Experiment) -> object:
    """The value of a field's widget: by the name of its stop if it has one, the seed as text."""
    value = getattr(experiment, name)
    return str(value) if name == "seed" else stop_name(experiment, name) or value


def texts_of(experiment: Experiment) -> dict[str, str]:
    """The text of every field, as its widget shows it."""
    return {name: text_of(value_of(name, experiment)) for name in PARAMETERS}


def texts() -> dict[str, str]:
    """The text of every field, as the controls stand."""
    return {name: text_of(st.session_state[name]) for name in PARAMETERS}


def named() -> dict[str, str]:
    """The fields whose controls stand at a named stop -> its name."""
    return {name: text for name, text in texts().items() if text in NAMED_STOPS.get(name, ())}


def current() -> tuple[Experiment, list[str]]:
    """The Experiment that the controls stand for, and what in them was not accepted."""
    return Experiment.from_query(texts())


def start_controls(experiment: Experiment) -> None:
    """Set the controls that have no value yet."""
    for name in PARAMETERS:
        st.session_state.setdefault(name, value_of(name, experiment))


def set_controls(experiment: Experiment) -> None:
    """Set every control."""
    for name in PARAMETERS:
        st.session_state[name] = value_of(name, experiment)


def without_defaults(texts: Mapping[str, str]) -> dict[str, str | None]:
    """What an address says of these fields: None for a field that has its default."""
    return {name: None if text == DEFAULT_TEXTS[name] else text for name, text in texts.items()}


def unbind_all() -> None:
    """Begin a run of the page, in which no widget is bound to the address yet."""
    st.session_state[_BOUND] = set()


def bind(name: str) -> None:
    """Note that the widget of a field keeps the address by itself in this run."""
    st.session_state[_BOUND].add(name)


def bound() -> frozenset[str]:
    """The fields whose widgets keep the address by themselves, as the last run drew them."""
    return frozenset(st.session_state.get(_BOUND, ()))


def texts_of_bound() -> dict[str, str | None]:
    """What the bound widgets write into the address; None for a field that has its default."""
    return without_defaults({name: text_of(st.session_state[name]) for name in bound()})


def unbound() -> dict[str, str | None]:
    """What the page has to write into the address, for the fields that have no bound widget.

    None for a field that has its default.
    """
    query = without_defaults(texts_of(current()[0]))
    return {name: text for name, text in query.items() if name not in bound()}
