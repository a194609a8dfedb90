"""A host that everyone has left gives back what they used, and disturbs nobody who is there."""

import asyncio
import gc
import weakref

import pytest

from core import Experiment
from pages import _cached, _idle, _viewer
from tests.load.loop import run_apart


class Cycle:
    def __init__(self):
        self.me = self


@pytest.fixture
def told(monkeypatch):
    """What the host sees at each look, and how often it tidied up."""
    tidied = []
    monkeypatch.setattr(_idle, "_EVERY", 0.0)
    monkeypatch.setattr(_idle, "_TIMES", 3)
    monkeypatch.setattr(_idle, "tidy", lambda: tidied.append(None))

    async def looks(counts):
        left = iter(counts)
        done = asyncio.Event()

        def connected():
            count = next(left, None)
            if count is None:
                done.set()
            return count or 0

        monkeypatch.setattr(_viewer, "connected", connected)
        task = asyncio.create_task(_idle.tidy_up())
        await done.wait()
        task.cancel()
        return len(tidied)

    return lambda counts: run_apart(looks(counts))


def test_nobody_is_disturbed_and_nothing_is_done_before_anyone_came(told):
    assert told([0, 0, 0]) == 0
    assert told([5, 2, 7]) <= 1  # one look more, at which everyone has left


def test_a_host_tidies_up_a_few_times_after_everyone_left(told):
    assert told([1, 0, 0, 0, 0, 0, 0]) == 3


def test_what_is_quickly_found_again_is_forgotten():
    _cached.run(Experiment(width=16, depth=3), "cpu")
    assert _cached.work().kept
    _idle.tidy()
    assert not any(kept.quick for kept in _cached.work().kept.values())


def test_cycles_are_collected():
    gc.disable()
    try:
        gone = weakref.ref(Cycle())
        assert gone() is not None
        _idle.tidy()
        assert gone() is None
    finally:
        gc.enable()
