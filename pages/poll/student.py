"""A room on a student's phone: the question, the own guess, then how far off it was."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.reading.guesses import how_far, measured_iteration, named
from pages.poll import answer, rooms, watch
from pages.poll.store import RoomError
from pages.poll.view import RoomView
from pages.words import page

_UNSENT = "_guesses_not_sent_yet"


def show(view: RoomView, viewer: str) -> None:
    """Draw the room, for a phone."""
    answer.question(view.room.experiment, is_open=not view.room.revealed)
    if view.room.revealed:
        _outcome(view)
        return
    above = st.container()
    _form(view)
    view, problem = _send(view, viewer)
    with above:
        page.warn(problem)
        _feedback(view)
    waits = view.is_away or view.room.code in _unsent()
    watch.watch(view.room.code, "revealed", None if waits else False)


def _unsent() -> dict[str, int | None]:
    """Code of a room -> a guess that is not stored yet."""
    return st.session_state.setdefault(_UNSENT, {})


def _form(view: RoomView) -> None:
    code, last = view.room.code, view.room.experiment.depth - 1
    own = view.own[0] if view.own else None
    with st.form(f"guess_form_{code}", border=False):
        typed = st.number_input(
            f"Iteration i, from 0 to {last}",
            min_value=0,
            max_value=last,
            value=own,
            step=1,
            key=f"guess_{code}",
        )
        with st.container(horizontal=True, gap="small"):
            guessed = st.form_submit_button("Guess", key="send", type="primary")
            never = st.form_submit_button("It never does", key="never")
    if never:
        _unsent()[code] = None
    elif guessed and typed is not None:
        _unsent()[code] = typed
    elif guessed:
        st.html('<p class="gi-hint" role="alert">Type a number first.</p>')


def _send(view: RoomView, viewer: str) -> tuple[RoomView, list[str]]:
    """Store the guess that waits, if there is one.

    It goes on waiting while the store is away; if it is refused, the problem is returned.
    """
    code = view.room.code
    if code not in _unsent():
        return view, []
    made = _unsent()[code]
    try:
        rooms.guess(code, viewer, made)
    except RoomError as error:
        if error.kind == "away":
            return view, []
        del _unsent()[code]
        return view, [str(error)]
    del _unsent()[code]
    return view._replace(own=(made,)), []


def _feedback(view: RoomView) -> None:
    unsent = _unsent()
    if view.room.code in unsent:
        words = (
            f"Your guess, {named(unsent[view.room.code])}, could not be handed in yet. "
            "This page tries again by itself: leave it open."
        )
        st.html(f'<p class="gi-feedback gi-far" role="status">{escape(words)}</p>')
    elif view.own:
        made = f"Your guess: <b>{named(view.own[0])}</b>."
        st.html(
            f'<p class="gi-feedback gi-good" role="status">{made} '
            "You may change it until the answer is shown.</p>"
        )
    else:
        st.html('<p class="gi-feedback gi-open" role="status">What is your guess?</p>')


def _outcome(view: RoomView) -> None:
    code = view.room.code
    if code in _unsent():
        late = named(_unsent()[code])
        page.warn([f"Your guess, {late}, came too late: the answer was already shown."])
    run = answer.measured(view.room.experiment)
    if run is None:
        return
    if view.own:
        guess, measured = view.own[0], measured_iteration(run)
        kind = "good" if guess == measured else "far"
        words = escape(how_far(guess, measured))
        st.html(f'<p class="gi-feedback gi-{kind}" role="status"><b>{words}</b></p>')
    answer.answer(view, run)
