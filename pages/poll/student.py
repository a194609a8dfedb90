"""A room as a student sees it: the question, one's own guess, then how far off it was."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.reading.guesses import how_far, measured_iteration, named
from pages.poll import answer, rooms, watch
from pages.poll.store import RoomError
from pages.poll.view import Look
from pages.words import page

_UNSENT = "_guesses_not_sent_yet"


def show(look: Look, viewer: str) -> None:
    """The whole view, for a phone."""
    answer.question(look.room.experiment, is_open=not look.room.revealed)
    if look.room.revealed:
        _outcome(look)
        return
    told = st.container()
    _form(look)
    look, problem = _send(look, viewer)
    with told:
        page.warn(problem)
        _say(look)
    waits = look.is_away or look.room.code in _unsent()
    watch.watch(look.room.code, "revealed", None if waits else False)


def _unsent() -> dict[str, int | None]:
    """Room -> a guess that the store has not taken yet."""
    return st.session_state.setdefault(_UNSENT, {})


def _form(look: Look) -> None:
    code, last = look.room.code, look.room.experiment.depth - 1
    own = look.own[0] if look.own else None
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


def _send(look: Look, viewer: str) -> tuple[Look, list[str]]:
    """Hand in what waits to be; what the store refuses is told, what it cannot take waits on."""
    code = look.room.code
    if code not in _unsent():
        return look, []
    made = _unsent()[code]
    try:
        rooms.guess(code, viewer, made)
    except RoomError as error:
        if error.kind == "away":
            return look, []
        del _unsent()[code]
        return look, [str(error)]
    del _unsent()[code]
    return look._replace(own=(made,)), []


def _say(look: Look) -> None:
    unsent = _unsent()
    if look.room.code in unsent:
        words = (
            f"Your guess, {named(unsent[look.room.code])}, could not be handed in yet. "
            "It is sent again by itself: leave this page open."
        )
        st.html(f'<p class="gi-feedback gi-far" role="status">{escape(words)}</p>')
    elif look.own:
        made = f"Your guess: <b>{named(look.own[0])}</b>."
        st.html(
            f'<p class="gi-feedback gi-good" role="status">{made} '
            "You may change it until the answer is shown.</p>"
        )
    else:
        st.html('<p class="gi-feedback gi-open" role="status">What is your guess?</p>')


def _outcome(look: Look) -> None:
    code = look.room.code
    if code in _unsent():
        late = named(_unsent()[code])
        page.warn([f"Your guess, {late}, came too late: the answer was already shown."])
    run = answer.found(look.room.experiment)
    if run is None:
        return
    if look.own:
        guess, measured = look.own[0], measured_iteration(run)
        kind = "good" if guess == measured else "far"
        words = escape(how_far(guess, measured))
        st.html(f'<p class="gi-feedback gi-{kind}" role="status"><b>{words}</b></p>')
    answer.answer(look, run)
