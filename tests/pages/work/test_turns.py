"""Scripts in turn: only so many at a time, never held up by one that only waits."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pages.work.shared import Work
from pages.work.turns import SCRIPT_LOCK, FairLock
from tests.pages.test_explore import answer, opened

PATIENCE = 30.0


def test_no_more_run_than_have_a_turn():
    lock, running, most = FairLock(2), [], []

    def script(number):
        with lock.held():
            running.append(number)
            most.append(len(running))
            time.sleep(0.002)
            running.remove(number)

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(script, range(60)))
    assert max(most) == 2


def test_nobody_overtakes_who_waits():
    lock, served = FairLock(1), []

    def script(name):
        with lock.held():
            served.append(name)

    with ThreadPoolExecutor(2) as threads:
        with lock.held():
            waiting = [threads.submit(script, name) for name in ("first", "second")]
            until(lambda: lock.waiting == 2)
        script("third")
        for each in waiting:
            each.result(PATIENCE)
    assert sorted(served[:2]) == ["first", "second"] and served[2] == "third"


def test_who_comes_back_is_the_next():
    lock, served = FairLock(1), []

    def meanwhile():
        with lock.held():
            until(lambda: lock.waiting == 2)  # one that came later, and who stood aside
            served.append("meanwhile")

    def later():
        with lock.held():
            served.append("later")

    with ThreadPoolExecutor(2) as threads:
        with lock.held():
            waiting = [threads.submit(meanwhile)]
            until(lambda: lock.waiting == 1)
            with lock.released():
                waiting.append(threads.submit(later))
                until(lambda: lock.waiting == 1)
            served.append("back")
        for each in waiting:
            each.result(PATIENCE)
    assert served == ["meanwhile", "back", "later"]


def until(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_script_that_fails_gives_its_turn_back():
    lock = FairLock(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), lock.held():
            1 / 0
        with pytest.raises(ZeroDivisionError), lock.held(), lock.released():
            1 / 0


def test_who_has_no_turn_gives_none_away():
    lock, entered = FairLock(1), threading.Event()

    def other():
        with lock.released():
            pass
        with lock.held():
            entered.set()

    with ThreadPoolExecutor(1) as threads:
        with lock.held():
            threads.submit(other)
            assert not entered.wait(0.2)
        assert entered.wait(PATIENCE)


def test_who_waits_for_long_work_lets_others_go_on():
    work, begun, go = Work(1, 10, 10**6), threading.Event(), threading.Event()

    def compute(tell):
        begun.set()
        assert go.wait(PATIENCE)
        return "found"

    def script(number):
        with SCRIPT_LOCK.held():
            return work.answer("long", compute, quick=False, viewer=str(number))

    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(script, number) for number in range(4)]
        assert begun.wait(PATIENCE)
        assert "grows" in answer(opened(width="61", depth="30"))
        go.set()
        assert {each.result(PATIENCE) for each in waiting} == {"found"}


def test_explore_waits_for_its_turn():
    start = time.monotonic()
    opened(width="62", depth="31")
    usual = time.monotonic() - start
    with ThreadPoolExecutor(1) as threads:
        with SCRIPT_LOCK.held():
            page = threads.submit(opened, width="62", depth="30")
            time.sleep(3 * usual)
            assert not page.done()
        assert "grows" in answer(page.result(PATIENCE))
