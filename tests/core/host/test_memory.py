"""Large runs share the memory of a host, first come, first served; small runs do not wait."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core import Experiment, propagate
from core.host import memory
from core.host.limits import SMALL_BYTES, cost, is_quick
from core.host.memory import SharedMemory
from core.simulation.propagate import Stopped

LARGE = Experiment(width=6000, depth=1)  # 153 MiB


class Impatient(Exception):
    pass


def until(true):
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_never_more_is_held_than_there_is_and_nobody_is_passed_by():
    shared, held, most, order = SharedMemory(), [0], [0], []
    lock = threading.Lock()

    def run(number, need):
        with shared.room_for(need, 10, lambda: None):
            with lock:
                order.append(number)
                held[0] += need
                most[0] = max(most[0], held[0])
            time.sleep(0.005)
            with lock:
                held[0] -= need

    needs = [6, 5, 1, 1, 9, 2, 2, 10, 3, 1] * 3
    with ThreadPoolExecutor(len(needs)) as threads:
        runs = []
        with shared.room_for(10, 10, lambda: None):
            for number, need in enumerate(needs):
                runs.append(threads.submit(run, number, need))
                until(lambda number=number: len(shared._line) == number + 1)
        for done in runs:
            done.result(60)
    assert most[0] == 10 and shared.held == 0 and len(order) == len(needs)
    # Runs that are let in at the same moment may append in either order; none overtakes another.
    assert max(abs(place - number) for place, number in enumerate(order)) <= 5


def test_who_gives_up_waiting_lets_the_next_in():
    shared = SharedMemory()

    def give_up():
        raise Impatient

    with (
        shared.room_for(10, 10, lambda: None),
        pytest.raises(Impatient),
        shared.room_for(1, 10, give_up),
    ):
        pass
    with shared.room_for(10, 10, give_up):
        assert shared.held == 10
    assert shared.held == 0


def test_a_run_that_fails_gives_back_what_it_held():
    shared = SharedMemory()
    with (
        pytest.raises(Impatient),
        shared.room_for(99, 10, lambda: None),
    ):  # needs more than all: alone
        raise Impatient
    assert shared.held == 0


def test_a_large_run_waits_and_can_be_stopped_and_a_small_one_does_not(monkeypatch):
    shared = SharedMemory()
    monkeypatch.setattr(memory, "_shared", shared)
    need = cost(LARGE).bytes
    assert need > SMALL_BYTES and not is_quick(LARGE)
    monkeypatch.setenv("GOOD_INIT_MAX_BYTES", str(need))
    fractions = []
    with ThreadPoolExecutor(1) as thread:
        with shared.room_for(need, need, lambda: None):
            with pytest.raises(Stopped):
                propagate(LARGE, should_stop=lambda: True)
            run = thread.submit(propagate, LARGE, on_progress=fractions.append)
            until(lambda: fractions)
            assert propagate(Experiment(width=8, depth=2)) and not run.done()
        assert run.result(60).stats.std[1] > 0
    assert fractions[0] == 0 and fractions[-1] == 1 and shared.held == 0
