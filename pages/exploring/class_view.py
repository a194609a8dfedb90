"""The view that a class gets: hidden controls and answers, and the projector; all in the link."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from core.question.experiment import PARAMETERS
from core.text import shown
from pages.controls import address, arrival

_VIEW = "_class_view"
_shortcut = st.components.v2.component(
    "good_init_shortcut", js=(Path(__file__).parent / "shortcut.js").read_text()
)
OWNED = ("hide", "view")
CONTROLS: dict[str, str] = {
    "width": PARAMETERS["width"].label,
    "depth": PARAMETERS["depth"].label,
    "scale": PARAMETERS["scale"].label,
    "relu": "ReLU",
    "ensemble": "256 networks",
    "pins": "Keep this curve",
    "more": "The layer’s parts, and more: activation, initialiser, weights, …",
}
"""Controls that a link may hide, and then sets itself -> their names on screen."""
ANSWERS: dict[str, str] = {
    "verdict": "the verdict and the iteration (the curve still ends there)",
    "gradient": "what becomes of the gradient",
    "theory": "what was to be expected",
    "details": "the other charts, the script and the table",
}
"""Answers that a link may hide -> their names on screen."""
_PROJECTOR = "projector"


class ClassView(NamedTuple):
    """The hidden controls and answers, and whether the page is on a projector."""

    hidden: frozenset[str]
    on_projector: bool

    def shows(self, name: str) -> bool:
        """Whether a control or an answer is shown."""
        return name not in self.hidden

    def to_query(self) -> dict[str, str]:
        """The view as parameters of a link."""
        names = [name for name in (*CONTROLS, *ANSWERS) if name in self.hidden]
        query = {"hide": ",".join(names)} if names else {}
        return query | ({"view": _PROJECTOR} if self.on_projector else {})


def adopt_link() -> None:
    """Take the view from the link: once per session, and after a step back in the history."""
    if _VIEW in st.session_state and not address.went_back("class view"):
        return
    query = st.query_params.to_dict()
    asked = [name for name in query.get("hide", "").split(",") if name]
    known = [name for name in asked if name in CONTROLS or name in ANSWERS]
    problems = []
    if len(known) < len(asked):
        allowed = ", ".join((*CONTROLS, *ANSWERS))
        wrong = next(name for name in asked if name not in known)
        problems.append(f"hide must be some of {allowed}, got {shown(wrong)}: it is passed over")
    view = query.get("view", _PROJECTOR)
    if view != _PROJECTOR:
        problems.append(f"view must be {_PROJECTOR}, got {shown(view)}: it is passed over")
    st.session_state[_VIEW] = ClassView(frozenset(known), query.get("view") == _PROJECTOR)
    arrival.add_problems(problems)


def current() -> ClassView:
    """The view on screen."""
    return st.session_state[_VIEW]


def toggle_projector() -> None:
    """Turn the projector view on or off, as a step of its own in the browser's history."""
    view = current()
    st.session_state[_VIEW] = view._replace(on_projector=not view.on_projector)
    address.step()


def hear_keys() -> None:
    """Let the button's key work while a slider has the focus.

    The page calls it outside of its fragment, so that a slider's step does not draw it again.
    """
    _shortcut(key="shortcut")


def projector_button() -> None:
    """Draw the button for the projector view; the key f presses it too, except in a text field."""
    on = current().on_projector
    st.button(
        "Leave the projector view" if on else "Projector view",
        key="projector",
        icon=":material/co_present:",
        type="tertiary",
        shortcut="f",
        on_click=toggle_projector,
    )
