"""The progress bar of one answer."""

from __future__ import annotations

import time

from streamlit.delta_generator import DeltaGenerator

from pages.work.jobs import Standing


class Progress:
    """Shows at a place of the page how far an answer is, once it has taken a while.

    Every word to the page gives Streamlit the chance to end a script that a newer one supersedes;
    what nobody waits for is then stopped. It does so for the whole page's script, never for a
    fragment's.

    Args:
        place: where; nowhere if it is None.
        text: what is being done.
        part: the fraction at which this begins, and how much of the whole it is.
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
        """Show how far it is."""
        if self.place is None:
            return
        if time.monotonic() < self.due:
            self.place.empty()  # nothing to see, and a chance for a newer script all the same
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
