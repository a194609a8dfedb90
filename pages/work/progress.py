"""The progress bar of one answer."""

from __future__ import annotations

import time

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pages.work import viewer
from pages.work.jobs import Standing


def place_over_the_next(what: str = "") -> DeltaGenerator:
    """A place for a bar that lies over what the page draws next, so that nothing moves under it.

    A page that moves loses the click that was on its way to a control. The style sheet of the
    words takes the place out of the page's flow.

    Args:
        what: tells it from other such places on the page.
    """
    with st.container(key=f"working{what}"):
        return st.empty()


class Progress:
    """Shows how far an answer is, once it has taken a while.

    Each time that something is sent to the page, Streamlit may end the script, if a newer one has
    superseded it; its work is then stopped. Streamlit ends only scripts of a whole page, never one
    of a fragment, and none whose viewer has closed the page: that is looked at here.

    Args:
        place: on the page; None to show nothing.
        text: what is being computed.
        part: the fraction of the whole at which this answer begins, and its share of the whole.
    """

    _PATIENCE = 0.4

    def __init__(
        self,
        place: DeltaGenerator | None = None,
        text: str = "",
        part: tuple[float, float] = (0.0, 1.0),
    ) -> None:
        self.place, self.text, self.part = place, text, part
        self.due = time.monotonic() + self._PATIENCE
        self.is_seen = False

    def __call__(self, standing: Standing) -> None:
        """Show how far the answer is; ends the script if its viewer has left."""
        if not viewer.is_here():
            st.stop()
        if self.place is None:
            return
        if time.monotonic() < self.due:
            self.place.empty()  # shows nothing, but lets Streamlit end the script
            return
        self.is_seen = True
        start, share = self.part
        text = self.text
        if standing.place:
            text = f"Many runs are asked for at the moment: place {standing.place} in the queue…"
        self.place.progress(start + share * standing.fraction, text)

    def done(self) -> None:
        """Leave the place empty."""
        if self.place is not None and self.is_seen:
            self.place.empty()
