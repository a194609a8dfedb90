"""The host's work: shared, queued in turn, stopped when nobody waits, kept within its bytes."""

import math
import random
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

from core import Experiment, propagate
from pages.work import shared
from pages.work.jobs import Ended, Job, TookTooLong, Unfinished, weighed
from pages.work.queue import QueueFull
from pages.work.shared import Work
from pages.work.turns import SCRIPT_LOCK

PATIENCE = 60.0  # seconds


class Left(Exception):
    """A viewer has gone."""


class Gate:
    """A computation that goes on while the test says so, and not beyond the test's end."""

    made: ClassVar[list] = []

    def __init__(self, name="answer"):
        Gate.made.append(self)
        self.name, self.count = name, 0
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, tell):
        self.count += 1
        self.begun.set()
        while not self.go.wait(0.005):
            tell(0.5)
        return self.name


@pytest.fixture
def ended():
    return []


@pytest.fixture
def work(ended):
    return Work(1, 10, 10**6, ended.append, share=math.inf)


def until(said):
    deadline = time.monotonic() + PATIENCE
    while not said():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def leaving(gone):
    def hear(standing):
        if gone.is_set():
            raise Left

    return hear


@pytest.mark.parametrize("quick", [True, False])
def test_who_asks_the_same_shares_one_computation(work, asking, quick):
    gate = Gate()
    answers = [asking(work.answer, "key", gate, quick=quick) for _ in range(50)]
    assert gate.begun.wait(PATIENCE)
    until(lambda: work.jobs["key"].waiting == 50)
    gate.go.set()
    assert {answer.result(PATIENCE) for answer in answers} == {"answer"} and gate.count == 1
    assert work.answer("key", gate, quick=quick) == "answer" and gate.count == 1
    assert (work.found, work.missed) == (1, 50)


def test_long_work_waits_for_its_turn_and_hears_its_place(work, asking):
    gates = [Gate(name) for name in range(4)]
    heard = [[] for _ in gates]
    answers = []
    for place, gate in enumerate(gates):
        ask = {"quick": False, "viewer": f"v{place}", "hear": heard[place].append}
        answers.append(asking(work.answer, place, gate, **ask))
        until(lambda place=place: sum(work.standing()) == place + 1)
    until(lambda: all(heard))
    assert work.standing() == (1, 3)
    assert [places[-1].place for places in heard] == [0, 1, 2, 3]
    assert [gate.begun.is_set() for gate in gates] == [True, False, False, False]
    for gate in gates:
        gate.go.set()
    assert [answer.result(PATIENCE) for answer in answers] == [0, 1, 2, 3]
    until(lambda: work.standing() == (0, 0))


def test_who_asks_for_much_waits_behind_who_asks_for_little(work, asking):
    order = []
    first = Gate()
    answers = [asking(work.answer, "first", first, quick=False, viewer="greedy")]
    assert first.begun.wait(PATIENCE)
    for place, viewer in enumerate(["greedy"] * 4 + ["modest", "other"]):
        name = f"{viewer} {place}"
        compute = lambda tell, name=name: order.append(name)  # noqa: E731
        answers.append(asking(work.answer, name, compute, quick=False, viewer=viewer))
        until(lambda place=place: work.standing()[1] == place + 1)
    first.go.set()
    for answer in answers:
        answer.result(PATIENCE)
    assert order == ["modest 4", "other 5", "greedy 0", "greedy 1", "greedy 2", "greedy 3"]


def test_quick_work_does_not_wait_for_long_work(work, asking):
    gate = Gate()
    long = asking(work.answer, "long", gate, quick=False)
    assert gate.begun.wait(PATIENCE)
    assert work.answer("quick", lambda tell: 7, quick=True) == 7
    gate.go.set()
    long.result(PATIENCE)


def test_what_nobody_waits_for_is_stopped(work, asking, ended):
    gate, gone = Gate(), threading.Event()
    left = asking(work.answer, ("run", 1), gate, quick=False, hear=leaving(gone))
    assert gate.begun.wait(PATIENCE)
    gone.set()
    with pytest.raises(Left):
        left.result(PATIENCE)
    until(lambda: ended)
    assert [(end.what, end.outcome) for end in ended] == [("run", "superseded")]
    until(lambda: work.standing() == (0, 0))
    gate.go.set()
    assert work.answer(("run", 1), gate, quick=False) == "answer" and gate.count == 2


def test_a_run_of_core_is_stopped_in_the_middle(work, asking, ended):
    e = Experiment(width=1024, depth=1000, weights="fresh")
    gone, begun = threading.Event(), threading.Event()

    def compute(tell):
        def told(fraction):
            begun.set()
            tell(fraction)

        return propagate(e, on_progress=told)

    left = asking(work.answer, e, compute, quick=False, hear=leaving(gone))
    assert begun.wait(PATIENCE)
    gone.set()
    with pytest.raises(Left):
        left.result(PATIENCE)
    until(lambda: ended)
    assert ended[0].outcome == "superseded"


def test_work_goes_on_while_one_still_waits(work, asking):
    gate, gone = Gate(), threading.Event()
    stays = asking(work.answer, "key", gate, quick=False)
    assert gate.begun.wait(PATIENCE)
    left = asking(work.answer, "key", gate, quick=False, hear=leaving(gone))
    gone.set()
    with pytest.raises(Left):
        left.result(PATIENCE)
    time.sleep(0.05)  # the hook is called meanwhile
    gate.go.set()
    assert stays.result(PATIENCE) == "answer" and gate.count == 1


def test_who_leaves_the_queue_is_not_computed_for(work, asking):
    first, second, gone = Gate(), Gate(), threading.Event()
    gone.set()
    running = asking(work.answer, "first", first, quick=False)
    assert first.begun.wait(PATIENCE)
    with pytest.raises(Left):
        work.answer("second", second, quick=False, hear=leaving(gone))
    assert work.standing() == (1, 0)
    first.go.set()
    running.result(PATIENCE)
    assert not second.begun.is_set()


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize(
    "error, outcome", [(ValueError("no"), "refused"), (RuntimeError("oh"), "failed")]
)
def test_an_error_reaches_who_asked_and_harms_no_other(work, ended, quick, error, outcome):
    def fails(tell):
        raise error

    for _ in range(3):  # not kept, and the worker lives on
        with pytest.raises(type(error), match=str(error)):
            work.answer("key", fails, quick=quick)
    assert work.answer("other", lambda tell: 1, quick=quick) == 1
    assert [end.outcome for end in ended] == [outcome] * 3 + ["done"]


def test_a_full_queue_refuses_in_words(asking):
    work, gate = Work(1, 2, 10**6, share=math.inf), Gate()
    answers = []
    for place in range(3):
        answers.append(asking(work.answer, place, gate, quick=False))
        until(lambda place=place: sum(work.standing()) == place + 1)
        assert gate.begun.wait(PATIENCE)
    with pytest.raises(QueueFull, match=r"queue for long runs is full \(2 waiting\)"):
        work.answer("one more", gate, quick=False)
    shared = asking(work.answer, 2, gate, quick=False)  # the same question needs no place
    gate.go.set()
    assert [answer.result(PATIENCE) for answer in (*answers, shared)] == ["answer"] * 4


def test_what_is_kept_stays_within_its_bytes_and_nobody_writes_to_it():
    work = Work(1, 1, 100_000)
    for place in range(50):
        work.answer(place, lambda tell: np.zeros(1000), quick=True)
        assert work.kept.currsize <= 100_000
    assert len(work.kept) == 12
    kept = work.answer(49, lambda tell: None, quick=True)
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 1
    big = work.answer("big", lambda tell: np.zeros(10**6), quick=True)  # used, and not kept
    assert len(big) == 10**6 and "big" not in work.kept


def test_a_host_that_everyone_has_left_keeps_only_what_took_long():
    work = Work(1, 1, 10**6)
    for place in range(5):
        work.answer(place, lambda tell: np.zeros(1000), quick=True)
    found = work.answer("long", lambda tell: np.ones(1000), quick=False)
    work.forget_quick()
    assert list(work.kept) == ["long"] and 8_000 <= work.kept.currsize < 9_000
    assert work.answer("long", lambda tell: None, quick=False) is found
    assert work.answer(0, lambda tell: "anew", quick=True) == "anew"


def test_what_was_used_last_stays_longest_whatever_was_forgotten():
    work = Work(1, 1, 20_000)
    for key in ("a", "b"):
        work.answer(key, lambda tell: np.zeros(1000), quick=False)
    work.answer("a", lambda tell: None, quick=False)
    work.forget_quick()
    work.answer("c", lambda tell: np.zeros(1000), quick=False)
    assert list(work.kept) == ["a", "c"]


def test_a_run_weighs_what_its_arrays_weigh():
    run = propagate(Experiment(width=256, depth=50))
    arrays = sum(values.nbytes for values in run.stats.values.values())
    assert arrays <= weighed(run) <= 2 * arrays + 50_000


def test_the_log_hears_how_long_it_waited_and_took(asking, ended):
    work, gate = Work(1, 5, 10**6, ended.append, share=math.inf), Gate()
    first = asking(work.answer, "first", gate, quick=False)
    assert gate.begun.wait(PATIENCE)
    second = asking(work.answer, ("run", 2), lambda tell: 2, quick=False, about={"n": 5})
    until(lambda: work.standing() == (1, 1))
    time.sleep(0.5)
    gate.go.set()
    first.result(PATIENCE), second.result(PATIENCE)
    until(lambda: len(ended) == 2)
    assert isinstance(ended[1], Ended)
    assert ended[1].queued >= 0.5 > ended[1].seconds and ended[1].about == {"n": 5}


def test_a_crowd_that_comes_and_goes_leaves_nothing_behind():
    work = Work(3, 1000, 10**5)

    def viewer(seed):
        rng = random.Random(seed)
        for _ in range(30):
            key = rng.randrange(20)
            patience = rng.random() * 0.01

            def compute(tell, key=key):
                for part in range(5):
                    time.sleep(0.0005)
                    tell(part / 5)
                return key

            leaves = rng.random() < 0.3

            def hear(standing, leaves=leaves):
                if leaves:
                    raise Left

            try:
                quick = rng.random() < 0.3
                said = work.answer(key, compute, quick=quick, viewer=str(seed), hear=hear)
                assert said == key
            except Left:
                time.sleep(patience)

    with ThreadPoolExecutor(20) as crowd:
        for done in [crowd.submit(viewer, seed) for seed in range(20)]:
            done.result(PATIENCE)
    until(lambda: work.standing() == (0, 0))
    assert work.jobs == {}


def test_whose_patience_ends_gets_what_is_known_and_finds_the_work_going_on(work):
    heard, go = threading.Event(), threading.Event()

    def compute(tell):
        tell(0.25, "a quarter")
        heard.set()
        while not go.wait(0.005):
            tell(0.5)  # has nothing new to show
        return "all"

    with pytest.raises(Unfinished):
        work.answer("key", compute, quick=False, patience=0.0)
    assert heard.wait(PATIENCE)
    until(lambda: work.jobs["key"].fraction == 0.5)
    with pytest.raises(Unfinished) as second:
        work.answer("key", compute, quick=False, patience=0.02)
    assert second.value.so_far == "a quarter" and second.value.standing == (0, 0.5)
    go.set()
    assert work.answer("key", compute, quick=False, patience=PATIENCE) == "all"
    assert work.answer("key", compute, quick=False, patience=0.0) == "all"


class _Late(Future):
    """An answer that comes just after the first caller has heard that it had not come."""

    heard = False

    def result(self, timeout=None):
        if self.heard:
            return super().result(timeout)
        self.heard = True
        until(self.done)
        raise TimeoutError


def test_an_answer_that_comes_just_as_patience_ends_is_given(work, monkeypatch):
    monkeypatch.setattr(shared, "Job", partial(Job, answer=_Late()))
    assert work.answer("key", lambda tell: "all", quick=False, patience=0.0) == "all"


def test_work_that_nobody_comes_back_for_is_stopped_after_a_while(ended):
    work, gate = Work(1, 10, 10**6, ended.append, linger=2.0), Gate()
    with pytest.raises(Unfinished):
        work.answer("key", gate, quick=False, patience=0.05)
    time.sleep(0.1)
    assert not ended and work.standing() == (1, 0)
    until(lambda: ended)
    assert ended[0].outcome == "superseded" and 2 <= ended[0].seconds < PATIENCE
    gate.go.set()
    assert work.answer("key", gate, quick=False) == "answer" and gate.count == 2


def test_work_in_the_queue_waits_for_who_comes_back_and_goes_when_nobody_does(asking):
    work, gate, behind = Work(1, 1, 10**6, linger=2.0, share=math.inf), Gate(), Gate()
    running = asking(work.answer, "running", gate, quick=False)
    assert gate.begun.wait(PATIENCE)
    with pytest.raises(Unfinished) as unfinished:
        work.answer("behind", behind, quick=False, patience=0.0)
    assert unfinished.value.standing.place == 1 and work.standing() == (1, 1)
    with pytest.raises(QueueFull):
        work.answer("third", gate, quick=False, patience=0.0)
    until(lambda: work.standing() == (1, 0))  # nobody came back, and the place is free
    with pytest.raises(Unfinished):
        work.answer("third", gate, quick=False, patience=0.0)
    gate.go.set()
    running.result(PATIENCE)
    until(lambda: work.standing() == (0, 0))
    assert not behind.begun.is_set()


def test_who_leaves_for_good_is_not_lingered_for_unless_others_are(work, ended):
    gate = Gate()
    for viewer in ("one", "other"):
        with pytest.raises(Unfinished):
            work.answer("key", gate, quick=False, viewer=viewer, patience=0.0)
    assert gate.begun.wait(PATIENCE)
    work.leave("key", "one")
    work.leave("unknown", "one")
    time.sleep(0.05)
    assert not ended
    work.leave("key", "other")
    until(lambda: ended)
    assert ended[0].outcome == "superseded"


def test_an_error_reaches_who_comes_back(work, ended):
    go = threading.Event()

    def fails(tell):
        go.wait(PATIENCE)
        raise ValueError("no")

    with pytest.raises(Unfinished):
        work.answer("key", fails, quick=False, patience=0.0)
    go.set()
    until(lambda: ended)
    with pytest.raises(ValueError, match="no"):  # asked again, for what fails is not kept
        work.answer("key", fails, quick=False, patience=PATIENCE)


def test_one_viewer_cannot_fill_the_queue(asking):
    work, gate = Work(1, 20, 10**6, share=math.inf), Gate("first")
    first = asking(work.answer, "first", gate, quick=False, viewer="greedy")
    assert gate.begun.wait(PATIENCE)
    greedy = [
        asking(work.answer, f"greedy {n}", Gate(n), quick=False, viewer="greedy") for n in range(4)
    ]
    until(lambda: work.standing() == (1, 4))
    with pytest.raises(QueueFull, match="4 long runs of yours are waiting on this host"):
        work.answer("one more", Gate(), quick=False, viewer="greedy")
    modest = asking(work.answer, "modest", Gate("modest"), quick=False, viewer="modest")
    until(lambda: work.standing() == (1, 5))
    for each in list(Gate.made):
        each.go.set()
    assert [each.result(PATIENCE) for each in (first, *greedy, modest)] == [
        "first",
        0,
        1,
        2,
        3,
        "modest",
    ]


def test_quick_work_that_takes_longer_lets_other_scripts_go_on_and_can_be_left(work, asking):
    """After half a second it holds neither the scripts' lock nor a place of quick work."""
    gate, gone = Gate(), threading.Event()

    def script():
        with SCRIPT_LOCK.held():
            return work.answer("late", gate, quick=True, hear=leaving(gone))

    first = asking(script)
    assert gate.begun.wait(PATIENCE)
    with SCRIPT_LOCK.held():  # would wait for ever if the late script kept it
        assert work.answer("other", lambda tell: "quick", quick=True) == "quick"
    gone.set()
    with pytest.raises(Left):
        first.result(PATIENCE)
    until(lambda: "late" not in work.jobs)
    again = Gate()  # its place is free: another one may be late
    third = asking(work.answer, "late again", again, quick=True)
    time.sleep(0.7)
    again.go.set()
    assert third.result(PATIENCE) == "answer"


def test_late_work_goes_on_for_those_who_stay(work, asking):
    gate, gone = Gate(), threading.Event()
    first = asking(work.answer, "late", gate, quick=True, hear=leaving(gone))
    assert gate.begun.wait(PATIENCE)
    second = asking(work.answer, "late", gate, quick=True)
    until(lambda: work.jobs["late"].waiting == 2)
    gone.set()
    until(lambda: work.jobs["late"].waiting == 1)
    gate.go.set()
    assert second.result(PATIENCE) == "answer"
    with pytest.raises(Left):
        first.result(PATIENCE)


@pytest.mark.parametrize("quick", [True, False])
def test_work_ends_in_words_after_the_time_that_the_host_allows(quick, ended):
    work = Work(1, 10, 10**6, ended.append, most_seconds=0.3)
    gate = Gate()
    with pytest.raises(TookTooLong, match=r"longer than 0.3 s, .* 50% of it was done: lower width"):
        work.answer("endless", gate, quick=quick)
    until(lambda: ended)
    assert ended[0].outcome == "refused" and not work.jobs
    assert work.answer("next", lambda tell: 1, quick=quick) == 1


def test_a_page_that_comes_back_is_told_that_time_is_up_and_what_is_known(ended):
    """Its patience ran out, so that nobody waited when the time was up."""
    work, began = Work(1, 10, 10**6, ended.append, linger=PATIENCE, most_seconds=0.3), []

    def compute(tell):
        began.append(1)
        while True:
            tell(0.5, "half")

    asked = {"quick": False, "viewer": "page", "patience": 0.0}
    with pytest.raises(Unfinished):
        work.answer("map", compute, **asked)
    until(lambda: ended)
    with pytest.raises(TookTooLong) as told:
        work.answer("map", compute, **asked)
    assert told.value.so_far == "half" and len(began) == 1 and not work.jobs
    with pytest.raises(Unfinished):  # it asks once more: the work goes on anew
        work.answer("map", compute, **asked)
    until(lambda: len(ended) == 2)
    assert len(began) == 2
    assert work.answer("map", lambda tell: 7, quick=False, viewer="other") == 7


def test_a_page_that_does_not_come_back_is_not_waited_for_when_time_is_up(ended):
    work, gate = Work(1, 10, 10**6, ended.append, linger=0.5, most_seconds=0.2), Gate()
    with pytest.raises(Unfinished):
        work.answer("map", gate, quick=False, viewer="page", patience=0.0)
    until(lambda: ended)
    time.sleep(0.6)
    assert work.answer("next", lambda tell: 1, quick=True) == 1 and not work.jobs
