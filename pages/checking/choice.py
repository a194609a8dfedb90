"""The controls of the page: a specimen with its own controls, and how it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.layer.number_formats import NUMBER_FORMATS
from core.specimens import SPECIMENS, Control
from core.text import shown
from pages.controls import address, arrival, state

PAGE = "your-model"
OWN = "file"
"""The source that is a file of the viewer's own."""
SOURCES = {"network": "A well-known network", OWN: "My own model"}
NOTHING, FACTORS, ANOTHER = "nothing", "factors", "another"
COMPARED = {NOTHING: "nothing", FACTORS: "the same with its factors", ANOTHER: "another network"}
_DRAWS = ("1", "3", "10")
_FIRST, _SECOND = "", "with_"
_KEPT, _DRAWN, _REFUSED = "_models_kept", "_models_drawn", "_models_refused"
_FEW = 2  # choices that are buttons


@dataclass(frozen=True)
class Chosen:
    """A specimen as its controls stand.

    Attributes:
        name: of the specimen.
        values: of its controls, sorted, so that equal choices are equal.
    """

    name: str
    values: tuple[tuple[str, str], ...]

    @property
    def label(self) -> str:
        """Its title, and the choices that are not the usual ones."""
        specimen, values = SPECIMENS[self.name], dict(self.values)
        told = [
            f"{each.label[0].casefold()}{each.label[1:]}: {each.choices[values[each.name]]}"
            for each in specimen.controls
            if values[each.name] != each.default
        ]
        return ", ".join([specimen.title, *told])


def _allowed() -> dict[str, list[str]]:
    """Parameter of a link -> its values."""
    names = {"show": list(SOURCES), "beside": list(COMPARED), "draws": list(_DRAWS)}
    names["judged_in"] = list(NUMBER_FORMATS)
    for which in (_FIRST, _SECOND):
        names[f"{which}model"] = list(SPECIMENS)
        for specimen, control in _controls():
            names[f"{which}{specimen}_{control.name}"] = list(control.choices)
    return names


def _usual() -> dict[str, str]:
    """Parameter -> its usual value, which a link leaves out."""
    usual = {name: values[0] for name, values in _allowed().items()} | {"judged_in": "float32"}
    for which in (_FIRST, _SECOND):
        usual |= {f"{which}{name}_{each.name}": each.default for name, each in _controls()}
    return usual


def _controls() -> list[tuple[str, Control]]:
    return [(name, each) for name, one in SPECIMENS.items() for each in one.controls]


def adopt_link() -> list[str]:
    """Set the choices from the link, or as they stood before another page was opened.

    Returns sentences on values that are not accepted: the usual ones are used.
    """
    arrives = st.session_state.get(state.PAGE, PAGE) != PAGE or _KEPT not in st.session_state
    arrival.remember_page(PAGE)
    if arrives and address.goes_back():
        address.restore()
    allowed = _allowed()
    asked = {name: text for name, text in st.query_params.to_dict().items() if name in allowed}
    if arrives or address.went_back("your model"):
        accepted = {name: text for name, text in asked.items() if text in allowed[name]}
        kept = {} if asked else st.session_state.get(_KEPT, {})
        st.session_state[_KEPT] = kept | accepted
        st.session_state.update(_usual() | kept | accepted)
        st.session_state[_REFUSED] = _refusals(asked, allowed)
    st.session_state[_DRAWN] = {}
    return list(st.session_state[_REFUSED])


def _refusals(asked: Mapping[str, str], allowed: Mapping[str, list[str]]) -> list[str]:
    usual = _usual()
    return [
        f"{name} must be one of {', '.join(allowed[name])}, got {shown(text)}: "
        f"{usual[name]} is used"
        for name, text in asked.items()
        if text not in allowed[name]
    ]


def write_link() -> None:
    """Let the address say what stands on the page; the usual values are left out."""
    usual, drawn = _usual(), st.session_state[_DRAWN]
    told = {name: text for name, text in drawn.items() if text != usual[name]}
    address.write(usual, told)


def _forget_refusals() -> None:
    st.session_state[_REFUSED] = []


def _choice(name: str, label: str, choices: Mapping[str, str], help_: str = "") -> str:
    """Draw a choice that the link holds: buttons for two, else a menu."""
    kept = st.session_state[_KEPT]
    if st.session_state.get(name) not in choices:
        usual = kept.get(name, _usual()[name])
        st.session_state[name] = usual if usual in choices else next(iter(choices))
    # The value is the default too: what a script sends is dropped where the viewer acts first.
    value, names = str(st.session_state[name]), list(choices)
    shared: dict[str, Any] = {"key": name, "format_func": choices.__getitem__}
    shared |= {"help": help_ or None, "persist_state": "session", "on_change": _forget_refusals}
    if len(choices) <= _FEW:
        st.segmented_control(label, names, default=value, required=True, **shared)
    else:
        st.selectbox(label, names, index=names.index(value), **shared)
    kept[name] = st.session_state[_DRAWN][name] = value
    return value


def source() -> str:
    """Draw the choice between a specimen and a file of one's own."""
    return _choice("show", "Show", SOURCES)


def specimen(*, second: bool = False) -> Chosen:
    """Draw the menu of specimens, and the controls of the one that is chosen."""
    which = _SECOND if second else _FIRST
    titles = {name: each.title for name, each in SPECIMENS.items()}
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{which}specimen"):
        name = _choice(f"{which}model", "Compare with" if second else "Network", titles)
        values = {
            each.name: _control(f"{which}{name}_{each.name}", each)
            for each in SPECIMENS[name].controls
        }
    return Chosen(name, tuple(sorted(values.items())))


def _control(key: str, control: Control) -> str:
    return _choice(key, control.label, control.choices, control.help)


def judged() -> tuple[str, int]:
    """Draw how it is judged: the number format, and how often the weights are drawn."""
    formats = {name: name for name in NUMBER_FORMATS}
    name = _choice("judged_in", "Judged in", formats, "The number format whose range sizes need.")
    draws = {each: each for each in _DRAWS}
    count = _choice("draws", "Draws", draws, "How often the weights are drawn: sizes are means.")
    return name, int(count)


def beside(*, has_factors: bool) -> str:
    """Draw what the model is compared with."""
    offered = {name: told for name, told in COMPARED.items() if name != FACTORS or has_factors}
    return _choice("beside", "Beside it", offered)
