"""What a class sees of a page: hidden controls and answers, and the projector; all in the link."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import streamlit as st

from core.question.experiment import PARAMETERS
from core.text import shown
from pages.controls import address, state

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
    "more": "More: activation, initialiser, weights, …",
}
"""What a link may hide -> its name on screen: controls, which the link then sets."""
ANSWERS: dict[str, str] = {
    "verdict": "the verdict and the iteration",
    "theory": "what was to be expected",
    "details": "the other charts, the script and the table",
}
"""The same for answers."""
_PROJECTOR = "projector"


class ClassView(NamedTuple):
    """What is hidden, and whether the page is on a projector."""

    hidden: frozenset[str]
    on_projector: bool

    def shows(self, name: str) -> bool:
        """Whether a control or an answer is there."""
        return name not in self.hidden

    def to_query(self) -> dict[str, str]:
        """As parameters of a link."""
        names = [name for name in (*CONTROLS, *ANSWERS) if name in self.hidden]
        query = {"hide": ",".join(names)} if names else {}
        return query | ({"view": _PROJECTOR} if self.on_projector else {})


def adopt_link() -> None:
    """Hide what the link hides; read once per session, and when the viewer goes back."""
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
    state.tell(problems)


def current() -> ClassView:
    """The view on screen."""
    return st.session_state[_VIEW]


def toggle_projector() -> None:
    """On or off: a step that the viewer can go back."""
    view = current()
    st.session_state[_VIEW] = view._replace(on_projector=not view.on_projector)
    address.step()


def hear_keys() -> None:
    """Let the button's key be heard on a slider too; outside of what a step draws again."""
    _shortcut(key="shortcut")


def projector_button() -> None:
    """A button that is also the key f, wherever the focus is but in a field of text."""
    on = current().on_projector
    st.button(
        "Leave the projector view" if on else "Projector view",
        key="projector",
        icon=":material/co_present:",
        type="tertiary",
        shortcut="f",
        on_click=toggle_projector,
    )
