"""Pins, the curves that a viewer keeps: in the session, in the link, and as a list with buttons."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st

from core.charts.figure import PIN_COLORS
from core.charts.pins import Pin
from core.question.experiment import Experiment
from core.question.naming import described, differences
from core.question.pins import PREFIX, SLOTS, Pins, free_slot, from_query, title, to_query, with_pin
from core.reading.gradient_run import as_run
from core.reading.verdict import outcome
from core.simulation.propagate import Run
from pages.controls import address, arrival, state
from pages.exploring import both_ways
from pages.exploring.both_ways import BothWays
from pages.work.progress import Progress

_PINS = "_pins"
_HELP = "The curve stays in the chart, and in the link, while you move the controls."


def current() -> Pins:
    """The pins on screen, slot -> experiment."""
    return st.session_state[_PINS]


def adopt_link() -> None:
    """Take the pins from the link.

    The link is read once per session, and after a step back in the browser's history. Otherwise it
    may be out of date: a slider's step can arrive with the address from before the last click.
    """
    if _PINS not in st.session_state or address.went_back("pins"):
        st.session_state[_PINS], problems = from_query(st.query_params.to_dict())
        arrival.add_problems(problems)
    arrival.remember(dict.fromkeys(PREFIX + slot for slot in SLOTS) | to_query(current()))


def measured(pins: Pins, device: str, progress: Progress) -> dict[str, BothWays | str]:
    """The run of every pin and its gradient, or why the host refuses to run it."""
    found: dict[str, BothWays | str] = {}
    for slot, experiment in pins.items():
        try:
            found[slot] = both_ways.found(experiment, device, progress)
        except ValueError as error:
            found[slot] = str(error)
    return found


def drawn(experiment: Experiment, pins: Pins, found: dict[str, BothWays | str]) -> list[Pin]:
    """The pins that have a run to draw, with their titles."""
    runs = {slot: seen.run for slot, seen in found.items() if isinstance(seen, BothWays)}
    return _titled(experiment, pins, runs)


def gradients(experiment: Experiment, pins: Pins, found: dict[str, BothWays | str]) -> list[Pin]:
    """The pins that have a gradient to draw, as runs that go back, with their titles."""
    runs = {
        slot: as_run(seen.back)
        for slot, seen in found.items()
        if isinstance(seen, BothWays) and seen.back
    }
    return _titled(experiment, pins, runs)


def _titled(experiment: Experiment, pins: Pins, runs: Mapping[str, Run]) -> list[Pin]:
    names = differences([experiment, *pins.values()])
    return [Pin(slot, title(slot, pins[slot], names), run) for slot, run in runs.items()]


def controls(
    experiment: Experiment,
    pins: Pins,
    found: dict[str, BothWays | str],
    *,
    tells_answer: bool = True,
) -> None:
    """Draw the button that pins the live curve, and the list of pins with their buttons.

    Args:
        experiment: on screen.
        pins: slot -> experiment.
        found: slot -> its run, or why the host refuses it.
        tells_answer: whether the list says what became of each signal.
    """
    _pin_button(experiment, pins)
    names = differences([experiment, *pins.values()])
    for slot, result in found.items():
        with st.container(horizontal=True, gap="small", key=f"pin_{slot}"):
            became = outcome(result.run) if isinstance(result, BothWays) else result
            if isinstance(result, BothWays) and not tells_answer:
                became = ""
            st.html(_row(slot, described(pins[slot], names), became))
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


def _pin_button(experiment: Experiment, pins: Pins) -> None:
    """Draw the button; if the curve cannot be pinned, its label says why: a finger has no hover."""
    same = next((slot.upper() for slot, other in pins.items() if other == experiment), None)
    label, hint = "Keep this curve", _HELP
    if same:
        label, hint = f"Kept as {same}", f"This curve is already kept as {same}."
    elif free_slot(pins) is None:
        label, hint = f"{len(SLOTS)} curves are kept", "Remove one to keep another."
    disabled = hint != _HELP
    st.button(
        label, key="keep", help=hint, disabled=disabled, width="stretch", on_click=_pin_current
    )


def _row(slot: str, differs: list[str], became: str) -> str:
    """HTML: a pin in words, beside its colour."""
    fields = ", ".join(f"<span>{escape(words)}</span>" for words in differs)
    return f"""<div class="gi-pin"><i style="background: {PIN_COLORS[slot]}"></i>
    <b>{slot.upper()}</b><div>{fields} <small>{escape(became)}</small></div></div>"""


def _set_pins(pins: Pins) -> None:
    """Replace the pins, as a step of its own in the browser's history."""
    st.session_state[_PINS] = pins
    address.step()


def _pin_current() -> None:
    experiment, _ = state.current()
    slot = free_slot(current())
    if slot and experiment not in current().values():
        _set_pins(with_pin(current(), slot, experiment))


def _use(slot: str) -> None:
    if slot in current():
        state.set_controls(current()[slot])


def _remove(slot: str) -> None:
    _set_pins({name: experiment for name, experiment in current().items() if name != slot})


def _remove_all() -> None:
    _set_pins({})
