"""Links to an experiment: the one to copy, and the one from page to page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core.question.experiment import Experiment
from core.question.link import to_text
from pages.controls.state import DEFAULT_TEXTS, PAGE, without_defaults

_component = st.components.v2.component(
    "good_init_explore_link",
    js=(Path(__file__).parent / "links.js").read_text(),
    isolate_styles=False,
)

OPEN = "open"
"""The parameter whose value is a whole experiment, in a link from page to page."""


def link_to(experiment: Experiment, beside: Mapping[str, str], *, brief: bool = False) -> str:
    """The address of this page with an experiment, and with the other parameters of the view.

    Args:
        experiment: what the controls shall stand for.
        beside: the other parameters, name -> text.
        brief: whether fields that have their default are left out.
    """
    query = experiment.to_query()
    if brief:
        query = {name: text for name, text in query.items() if text != DEFAULT_TEXTS[name]}
    return f"{_here()}?{urlencode(query | dict(beside), safe=':,')}".removesuffix("?")


def _here() -> str:
    """The address of this page. Explore's ends in a slash: chat programs may ask for one."""
    address = (st.context.url or "").split("?")[0].removesuffix("/")
    return f"{address}/" if st.session_state.get(PAGE) == "explore" else address


def query_to_open(experiment: Experiment) -> dict[str, str]:
    """The query of a link that opens this experiment on another page.

    All fields are in one parameter: the browser drops every parameter that the page it leaves has a
    widget for.
    """
    return {OPEN: to_text(experiment)}


def opens_another(query: Mapping[str, str]) -> bool:
    """Whether a query opens an experiment on another page, so that it says nothing of this one."""
    return OPEN in query


def explore_link(label: str, experiment: Experiment | None = None) -> None:
    """Draw a link to Explore; with an experiment it opens there.

    Streamlit follows a plain click itself. Its link has no address that a new tab could open, so
    the script gives it one, and leaves clicks for a new tab or window to the browser.
    """
    query = without_defaults(experiment.to_query()) if experiment else {}
    asked = {name: text for name, text in query.items() if text is not None}
    with st.container(key=f"to_explore_{label.replace(' ', '_')}", gap=None):
        st.page_link(
            "pages/explore.py",
            label=label,
            icon=":material/insights:",
            query_params=query_to_open(experiment) if experiment else None,
        )
        _component(key=f"address of {label}", data={"href": f"./?{urlencode(asked)}".rstrip("?")})
