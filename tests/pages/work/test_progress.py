import pytest
import streamlit as st

from pages.work import viewer
from pages.work.jobs import Standing
from pages.work.progress import Progress


class Stopped(Exception):
    """Streamlit ends the script."""


class Place:
    """A place on the page that notes what is drawn in it."""

    def __init__(self):
        self.drawn = []

    def empty(self):
        self.drawn.append("")

    def progress(self, fraction, text):
        self.drawn.append((fraction, text))


def test_the_script_of_a_viewer_who_has_left_ends_at_the_next_report(monkeypatch):
    place = Place()
    progress = Progress(place, "Multiplying…")
    progress(Standing(0, 0.5))

    def stop():
        raise Stopped

    monkeypatch.setattr(st, "stop", stop)
    monkeypatch.setattr(viewer, "is_here", lambda: False)
    for reports in (progress, Progress()):  # one that shows nothing ends it too
        with pytest.raises(Stopped):
            reports(Standing(0, 0.6))
    assert place.drawn == [""]


def test_outside_of_scripts_the_viewer_counts_as_here():
    assert viewer.is_here()
