"""A host that everyone has left gives back what they used, and disturbs nobody who is there."""

import asyncio
import ctypes
import gc
import os
import platform
import weakref

import pytest

from core import Experiment
from pages.serving import idle
from pages.work import answers, viewer
from tests.load.loop import run_apart
from tests.load.memory import resident


class Cycle:
    def __init__(self):
        self.me = self


@pytest.fixture
def told(monkeypatch):
    """What the host sees at each look, and how often it tidied up."""
    tidied = []
    monkeypatch.setattr(idle, "tidy", lambda: tidied.append(None))

    async def looks(counts):
        left = iter(counts)
        done = asyncio.Event()

        def connected():
            count = next(left, None)
            if count is None:
                done.set()
            return count or 0

        monkeypatch.setattr(viewer, "connected", connected)
        task = asyncio.create_task(idle.tidy_up(every=0.0, times=3))
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
    answers.run(Experiment(width=16, depth=3), "cpu")
    assert answers.work().kept
    idle.tidy()
    assert not any(kept.quick for kept in answers.work().kept.values())


def test_cycles_are_collected():
    gc.disable()
    try:
        gone = weakref.ref(Cycle())
        assert gone() is not None
        idle.tidy()
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="another C library gives back by itself"
)
def test_what_was_freed_between_what_is_in_use_goes_back():
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    parts = [libc.malloc(60_000) for _ in range(2000)]
    for part in parts:
        ctypes.memset(part, 1, 60_000)
    for part in parts[::2]:
        libc.free(part)
    before = resident(os.getpid())
    idle.give_back_memory()
    assert resident(os.getpid()) < before - 40
    for part in parts[1::2]:
        libc.free(part)


def test_it_goes_back_while_viewers_are_there(told, monkeypatch):
    given = []
    monkeypatch.setattr(idle, "give_back_memory", lambda: given.append(None))
    told([1, 1, 0, 0])
    assert len(given) == 2
