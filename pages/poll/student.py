"""A room on a student's phone: the question, the own guess, then how far off it was."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.reading.guesses import how_far, measured_iteration, named, not_whole
from pages.poll import answer, rooms, watch
from pages.poll.codes import spaced
from pages.poll.store import RoomError
from pages.poll.view import RoomView, remember
from pages.words import page
from pages.work.viewer import address

_UNSENT = "_guesses_not_sent_yet"
_LEFT = "_rooms_left_for_the_next"


def go_on_or_show(view: RoomView, viewer: str) -> None:
    """Go on to the teacher's next room, if there is one; otherwise draw this room, for a phone.

    A phone goes on from a room once: afterwards a step back leads to the room's answer.
    """
    following, left = view.room.following, st.session_state.setdefault(_LEFT, set())
    if following and view.room.code not in left:
        left.add(view.room.code)
        st.query_params["room"] = following
        st.rerun()
    _show(view, viewer)


def _show(view: RoomView, viewer: str) -> None:
    room = view.room
    answer.question(room.experiment, is_open=not room.revealed)
    if room.following:
        label = f"Go on to room {spaced(room.following)}"
        st.page_link("pages/guess.py", label=label, query_params={"room": room.following})
    if room.revealed:
        _outcome(view)
        watch.watch(room.code, "stage", None if view.is_away else room.stage)
        return
    above = st.container()
    if not view.is_kept_out:
        _form(view)
    view, problem = _send(view, viewer)
    with above:
        page.warn(problem)
        if view.own or not problem:
            _feedback(view)
    waits = view.is_away or room.code in _unsent()
    watch.watch(room.code, "stage", None if waits else room.stage)


def _unsent() -> dict[str, int | None]:
    """Code of a room -> a guess that is not stored yet."""
    return st.session_state.setdefault(_UNSENT, {})


def _form(view: RoomView) -> None:
    code, last = view.room.code, view.room.experiment.depth - 1
    own = view.own[0] if view.own else None
    with st.form(f"guess_form_{code}", border=False):
        typed = st.number_input(
            f"Iteration i, from 0 to {last}",
            # A whole number's field would cut 12.7 to 12 without a word.
            min_value=0.0,
            max_value=float(last),
            value=None if own is None else float(own),
            step=1.0,
            format="%g",
            key=f"guess_{code}",
        )
        with st.container(horizontal=True, gap="small"):
            guessed = st.form_submit_button("Guess", key="send", type="primary")
            never = st.form_submit_button("It never does", key="never")
    if never:
        _unsent()[code] = None
    elif guessed and typed is not None and typed.is_integer():
        _unsent()[code] = int(typed)
    elif guessed:
        words = "Type a number first." if typed is None else not_whole(typed)
        st.html(f'<p class="gi-feedback gi-far" role="alert">{escape(words)}</p>')


def _send(view: RoomView, viewer: str) -> tuple[RoomView, list[str]]:
    """Store the guess that waits, if there is one.

    It goes on waiting while the store is away; if it is refused, the problem is returned.
    """
    code = view.room.code
    if code not in _unsent():
        return view, []
    made = _unsent()[code]
    try:
        rooms.guess(code, viewer, made, address())
    except RoomError as error:
        if error.kind == "away":
            return view, []
        del _unsent()[code]
        return view, [str(error)]
    del _unsent()[code]
    return remember(view._replace(own=(made,), was_removed=False)), []


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
    elif view.is_kept_out:
        words = "Your teacher takes no guesses from your network in this room. "
        words += "The answer will be shown here all the same."
        st.html(f'<p class="gi-feedback gi-far" role="status">{words}</p>')
    elif view.was_removed:
        words = "Your teacher has removed all guesses from your network, and yours with them. "
        words += "You may guess again."
        st.html(f'<p class="gi-feedback gi-open" role="status">{words}</p>')
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
