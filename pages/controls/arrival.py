"""What the controls of a page start from: its link, or what was set on the page before."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import streamlit as st

from core.question.experiment import PARAMETERS, Experiment
from core.question.link import from_text
from pages.controls import address, state
from pages.controls.links import OPEN, opens_another

# Parameters of a link that belong to other readers than the experiment's fields.
_OF_OTHERS = re.compile(
    r"pin_.*|ensemble|step|done|teach|open|repetitions|hide|view|x|y|measure|networks|real|room"
    r"|measured|family",
    re.DOTALL,
)

Fit = Callable[[Experiment], tuple[Experiment, list[str]]]

_LINKED = "_linked_experiment"
_REMEMBERED = "_remembered_between_pages"
_CAME = "_came_from_another_page"
_REFUSED = "_refused_of_what_was_opened"


def adopt_link(page: str, fit: Fit = lambda experiment: (experiment, [])) -> None:
    """Start the controls of a page from its link.

    The link is read once per session and page, before any widget exists: Streamlit would replace
    a bad value by the default without a word. A value that was not accepted is corrected in the
    address too.

    Args:
        page: its name.
        fit: from the link's Experiment to one that the page allows, and sentences on what it
            changes.
    """
    _arrive(page)
    state.unbind_all()
    if _LINKED not in st.session_state:
        everything = st.query_params.to_dict()
        query = {name: text for name, text in everything.items() if not _OF_OTHERS.fullmatch(name)}
        experiment, problems = Experiment.from_query(query)
        experiment, beyond = fit(experiment)
        problems += beyond
        st.session_state[_LINKED] = experiment, problems + st.session_state.pop(_REFUSED, [])
        accepted = {name: t for name, t in state.texts_of(experiment).items() if name in query}
        if any(query[name] != text for name, text in accepted.items()):
            st.query_params.update(accepted)
            st.rerun()
    linked, _ = st.session_state[_LINKED]
    state.start_controls(linked)
    remember(state.without_defaults(state.texts()))


def _arrive(page: str) -> None:
    """Make the address of a page that was just opened say what its controls shall stand for.

    After a change of page the controls are restored from the page before, for Streamlit has emptied
    the address; or they are set from ``?open=…``, if a link has that. After a step back in the
    browser's history they are set from the address.
    """
    before = st.session_state.get(state.PAGE, page)
    if page != before and not address.goes_back():
        _remember_last_step()
    st.session_state[state.PAGE] = page
    if page != before:
        st.session_state[_CAME] = True
    remembered = _remembered()
    opened = st.query_params.to_dict().get(OPEN)
    if page == before and address.went_back("controls"):
        _set_from_address()
        return
    if page == before and opened is None:
        return
    for name in (*PARAMETERS, *remembered, _LINKED):
        st.session_state.pop(name, None)
    if address.goes_back():
        address.restore()
        return
    if opened is not None:
        experiment, st.session_state[_REFUSED] = from_text(opened, what="a link")
        remember(state.without_defaults(state.texts_of(experiment or Experiment())))
        del st.query_params[OPEN]
    elif any(name in st.query_params for name in PARAMETERS):
        return
    if opened is not None or remembered:
        st.query_params.update(_remembered())
        st.rerun()


def _remember_last_step() -> None:
    """Remember what the address of the page that is left said of its sliders.

    A step of a slider may be unanswered when the viewer follows a link: Streamlit then drops it,
    but the browser had written it into the address.
    """
    left = address.asked()
    remember({name: left[name] for name in state.bound() if name in left})


def _set_from_address() -> None:
    query = st.query_params.to_dict()
    if not opens_another(query):
        asked = {name: query[name] for name in PARAMETERS if name in query}
        state.set_controls(Experiment.from_query(asked)[0])


def came_from_another_page() -> bool:
    """Whether the session has been on another page: its first page is what a link asked for."""
    return bool(st.session_state.get(_CAME, False))


def remember_page(page: str) -> None:
    """Note that a page without these controls is on screen: the next one restores what was set."""
    st.session_state[state.PAGE] = page
    state.unbind_all()


def _remembered() -> dict[str, str]:
    """What was set on pages of this kind; the lesson has a size of its own."""
    kind = "lesson" if st.session_state[state.PAGE] == "lesson" else "tools"
    return st.session_state.setdefault(_REMEMBERED, {}).setdefault(kind, {})


def remember(query: Mapping[str, str | None]) -> None:
    """Remember parameters of the address for other pages; forget those that are None."""
    remembered = _remembered()
    for name, text in query.items():
        if text is None:
            remembered.pop(name, None)
        else:
            remembered[name] = text


def add_problems(problems: list[str]) -> None:
    """Add sentences on values of the link that were not accepted."""
    st.session_state[_LINKED][1].extend(problems)


def forget_problems() -> None:
    """Drop the sentences on the link: the viewer has chosen something else since."""
    st.session_state[_LINKED][1].clear()


def link_problems(experiment: Experiment) -> list[str]:
    """Sentences on values of the link that were not accepted, until a control is moved."""
    linked, problems = st.session_state[_LINKED]
    if experiment != linked:
        problems.clear()
    return list(problems)
