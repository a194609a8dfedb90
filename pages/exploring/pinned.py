"""Curves that are kept: in the session and in the link, and the list of them with its buttons."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.charts.figure import PIN_COLORS
from core.charts.pins import Pin
from core.question.experiment import Experiment
from core.question.naming import described, differences
from core.question.pins import PREFIX, SLOTS, Pins, free_slot, from_query, title, to_query, with_pin
from core.reading.verdict import outcome
from core.simulation.propagate import Run
from pages.controls import address, state
from pages.work import answers
from pages.work import progress as _progress

_KEPT = "_kept_experiments"
_HELP = "It stays in the chart, and in the link, while the controls move on."


def kept() -> Pins:
    """The experiments that are kept, slot -> experiment."""
    return st.session_state[_KEPT]


def adopt_link() -> None:
    """Keep what the link asks for.

    The link is read once per session, and when the viewer goes back to an older one. Otherwise the
    session has the say: a step of a slider may come with an address from before the last click.
    """
    if _KEPT not in st.session_state or address.went_back("pins"):
        st.session_state[_KEPT], problems = from_query(st.query_params.to_dict())
        state.tell(problems)
    state.carry(dict.fromkeys(PREFIX + slot for slot in SLOTS) | to_query(kept()))


def measured(pins: Pins, device: str, progress: _progress.Progress) -> dict[str, Run | str]:
    """The run of every pin, or why the host refuses it."""
    found: dict[str, Run | str] = {}
    for slot, experiment in pins.items():
        try:
            found[slot] = answers.run(experiment, device, progress)
        except ValueError as error:
            found[slot] = str(error)
    return found


def drawn(experiment: Experiment, pins: Pins, found: dict[str, Run | str]) -> list[Pin]:
    """The pins that there is something to draw of."""
    names = differences([experiment, *pins.values()])
    return [
        Pin(slot, title(slot, pins[slot], names), run)
        for slot, run in found.items()
        if isinstance(run, Run)
    ]


def controls(experiment: Experiment, pins: Pins, found: dict[str, Run | str]) -> None:
    """The button that keeps the live curve, and what is kept: each to be used or removed."""
    _keep_button(experiment, pins)
    names = differences([experiment, *pins.values()])
    for slot, result in found.items():
        with st.container(horizontal=True, gap="small", key=f"pin_{slot}"):
            st.html(_row(slot, described(pins[slot], names), result))
            for word, act in (("Use", _use), ("Remove", _remove)):
                st.button(
                    f"{word} {slot.upper()}",
                    key=f"{word.lower()}_{slot}",
                    type="tertiary",
                    width="content",
                    on_click=act,
                    args=(slot,),
                )
    if len(pins) > 1:
        with st.container(horizontal=True, horizontal_alignment="right"):
            st.button("Remove all", key="remove_all", type="tertiary", on_click=_remove_all)


def _keep_button(experiment: Experiment, pins: Pins) -> None:
    """What cannot be kept is said on the button itself: a finger has no hover."""
    same = next((slot.upper() for slot, other in pins.items() if other == experiment), None)
    label, hint = "Keep this curve", _HELP
    if same:
        label, hint = f"Kept as {same}", f"It is kept as {same} already."
    elif free_slot(pins) is None:
        label, hint = f"{len(SLOTS)} curves are kept", "Remove one to keep another."
    disabled = hint != _HELP
    st.button(label, key="keep", help=hint, disabled=disabled, width="stretch", on_click=_keep)


def _row(slot: str, differs: list[str], result: Run | str) -> str:
    """A pin in words, beside its colour."""
    became = outcome(result) if isinstance(result, Run) else result
    fields = ", ".join(f"<span>{escape(words)}</span>" for words in differs)
    return f"""<div class="gi-pin"><i style="background: {PIN_COLORS[slot]}"></i>
    <b>{slot.upper()}</b><div>{fields} <small>{escape(became)}</small></div></div>"""


def _change(pins: Pins) -> None:
    """Keep these instead: a step that the viewer can go back."""
    st.session_state[_KEPT] = pins
    address.step()


def _keep() -> None:
    experiment, _ = state.current()
    slot = free_slot(kept())
    if slot and experiment not in kept().values():
        _change(with_pin(kept(), slot, experiment))


def _use(slot: str) -> None:
    if slot in kept():
        state.take(kept()[slot])


def _remove(slot: str) -> None:
    _change({name: experiment for name, experiment in kept().items() if name != slot})


def _remove_all() -> None:
    _change({})
