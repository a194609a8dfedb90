"""What the teacher sees of a flood of guesses from one address, and the buttons that end it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import streamlit as st

from pages.poll import floods
from pages.poll.codes import network_of
from pages.poll.floods import Flood
from pages.poll.store import RoomError
from pages.poll.view import RoomView
from pages.words import page
from pages.work.viewer import address

_OWN = (
    "It is yours as well, so your class may be behind it: once you remove them, everyone may guess "
    "again."
)
_ANOTHER = (
    "It is not yours. If your class is behind it, only remove them: everyone may guess again. "
    "If it is not, keep the address out of this room too."
)
_CLOSED = "Guesses are closed now: if you remove these, only the others stay."


def show(view: RoomView, viewer: str) -> None:
    """Draw what there is to say of a flood, and of addresses that are kept out; else nothing."""
    flood, out = view.networks.flood, view.networks.kept_out
    if flood is not None:
        _flood(view, viewer, flood)
    if out and not view.room.revealed:
        _kept_out(view, viewer, out)


def _flood(view: RoomView, viewer: str, flood: Flood) -> None:
    code = view.room.code
    is_own, is_open = flood.network == network_of(code, address()), not view.room.revealed
    told = f"{flood.guesses} of {flood.total} guesses came from one internet address."
    what = (_OWN if is_own else _ANOTHER) if is_open else _CLOSED
    with st.container(key="flood", gap="small"):
        st.html(f'<p class="gi-flood" role="status"><b>{escape(told)}</b> {escape(what)}</p>')
        with st.container(horizontal=True, gap="small"):
            label = "Remove these guesses"
            removes = st.button(label, key="remove_flood", icon=":material/delete:")
            label = "Remove them and keep the address out"
            may_keep_out = is_open and not is_own
            keeps_out = may_keep_out and st.button(label, key="keep_out", icon=":material/block:")
    if removes or keeps_out:
        _do(lambda: floods.clear(code, viewer, flood.network, keep_out=bool(keeps_out)))


def _kept_out(view: RoomView, viewer: str, out: int) -> None:
    one = out == 1
    told = f"{'One internet address is' if one else f'{out} internet addresses are'} kept out."
    with st.container(key="kept_out", horizontal=True, gap="small", vertical_alignment="center"):
        st.html(f'<p class="gi-words">{told}</p>', width="content")
        label = f"Let {'it' if one else 'them'} in again"
        if st.button(label, key="let_in", icon=":material/undo:"):
            _do(lambda: floods.let_in(view.room.code, viewer))


def _do(what: Callable[[], None]) -> None:
    """Do it and draw the room again, or say why it was not done."""
    try:
        what()
    except RoomError as error:
        page.warn([str(error)])
    else:
        st.rerun()
