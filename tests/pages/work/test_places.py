"""Long work takes turns: none holds a place for ever, and no more of it goes on than has places."""

import math
import threading

from pages.work.jobs import Job, TookTooLong
from pages.work.queue import FairQueue
from pages.work.shared import Work
from tests.pages.work.test_queue import PATIENCE, Gate, leaving, until


def ask(asking, work, name, compute, **more):
    return asking(work.answer, name, compute, quick=False, viewer=f"of {name}", **more)


def test_two_endless_pieces_of_work_do_not_keep_a_third_waiting(asking):
    work, gates = Work(2, 10, 10**6, share=0.0), [Gate("one"), Gate("other")]
    endless = [ask(asking, work, gate.name, gate) for gate in gates]
    assert all(gate.begun.wait(PATIENCE) for gate in gates)

    def small(tell):
        for part in range(50):
            tell(part / 50)
        return "small"

    assert ask(asking, work, "small", small).result(PATIENCE) == "small"
    assert not any(answer.done() for answer in endless)
    for gate in gates:
        gate.go.set()
    assert [answer.result(PATIENCE) for answer in endless] == ["one", "other"]
    until(lambda: work.standing() == (0, 0))


def test_no_more_work_goes_on_than_there_are_places(asking):
    work, counting = Work(2, 20, 10**6, share=0.0), threading.Lock()
    active, most = 0, 0

    def compute(tell):
        nonlocal active, most
        for part in range(30):
            with counting:
                active += 1
                most = max(most, active)
            threading.Event().wait(0.001)  # others may go on
            with counting:
                active -= 1
            tell(part / 30)

    for answer in [ask(asking, work, name, compute) for name in range(8)]:
        answer.result(PATIENCE)
    assert most == 2


def test_only_so_much_work_has_begun_that_its_memory_is_bounded(asking):
    work, gates = Work(1, 20, 10**6, share=0.0), [Gate(name) for name in range(10)]
    answers = [ask(asking, work, gate.name, gate) for gate in gates]
    until(lambda: sum(gate.begun.is_set() for gate in gates) == 4)
    until(lambda: min(job.aside for job in begun_in(work)) > 0)  # each has had a turn, and another
    assert len(begun_in(work)) == 4 and work.standing() == (1, 9)
    for gate in gates:
        gate.go.set()
    assert [answer.result(PATIENCE) for answer in answers] == list(range(10))


def begun_in(work):
    return [job for job in list(work.jobs.values()) if job.has_begun]


def test_work_that_stood_aside_ends_once_nobody_waits_for_it(asking):
    ended = []
    work = Work(1, 10, 10**6, ended.append, share=0.0)
    gone, left, stays = threading.Event(), Gate("left"), Gate("stays")
    leaves = ask(asking, work, "left", left, hear=leaving(gone))
    assert left.begun.wait(PATIENCE)
    remains = ask(asking, work, "stays", stays)
    assert stays.begun.wait(PATIENCE)
    gone.set()
    until(lambda: [end.what for end in ended] == ["left"])
    assert ended[0].outcome == "superseded" and leaves.exception(PATIENCE)
    stays.go.set()
    assert remains.result(PATIENCE) == "stays"
    until(lambda: work.standing() == (0, 0))


def test_late_work_takes_turns_with_long_work(asking, monkeypatch):
    monkeypatch.setattr("pages.work.lateness._QUICK", 0.01)
    work, long, late = Work(1, 10, 10**6, share=0.0), Gate("long"), Gate("late")
    first = ask(asking, work, "long", long)
    assert long.begun.wait(PATIENCE)
    second = asking(work.answer, "late", late, quick=True)
    until(lambda: work.standing() == (1, 1))  # it is late, and one of the two stands aside
    until(lambda: work.jobs["late"].aside > 0)
    late.go.set()
    assert second.result(PATIENCE) == "late" and not first.done()
    until(lambda: work.standing() == (1, 0))
    long.go.set()
    assert first.result(PATIENCE) == "long"


def test_the_time_aside_is_not_of_the_time_that_work_may_take():
    def aside(seconds):
        job = Job("key", lambda tell: tell(0.5), "", {}, quick=False, aside=seconds)
        return job.attempt(lambda: None, most_seconds=0.0)[1]

    assert aside(math.inf) is None and isinstance(aside(0.0), TookTooLong)


def test_a_viewer_whose_work_stood_aside_waits_for_those_who_have_waited_longer():
    queue = FairQueue(10, 10)
    jobs = {name: Job(name, lambda tell: None, name, {}, quick=False) for name in "abc"}
    for job in jobs.values():
        queue.add(job)
    seen = []
    for _ in range(7):
        seen.append(queue.start_next())
        queue.step_aside(seen[-1])
    assert [job.key for job in seen] == list("abcabca")


def test_one_viewer_cannot_take_all_the_memory_of_work_that_has_begun(asking):
    work, gates = Work(2, 20, 10**6, share=0.0), [Gate(name) for name in range(5)]
    greedy = [
        asking(work.answer, gate.name, gate, quick=False, viewer="greedy") for gate in gates[:4]
    ]
    until(lambda: len(begun_in(work)) == 2)
    modest = ask(asking, work, 4, gates[4])
    assert gates[4].begun.wait(PATIENCE)
    until(lambda: all(job.aside > 0 for job in begun_in(work)))
    assert len(begun_in(work)) == 3
    for gate in gates:
        gate.go.set()
    assert [each.result(PATIENCE) for each in (*greedy, modest)] == [0, 1, 2, 3, 4]


def test_late_work_keeps_no_long_work_from_beginning(asking, monkeypatch):
    monkeypatch.setattr("pages.work.lateness._QUICK", 0.01)
    work, gates = Work(1, 20, 10**6, share=0.0), [Gate(name) for name in range(5)]
    late = [asking(work.answer, gate.name, gate, quick=True) for gate in gates]
    until(lambda: sum(work.standing()) == 5)
    assert ask(asking, work, "small", lambda tell: "small").result(PATIENCE) == "small"
    for gate in gates:
        gate.go.set()
    assert [each.result(PATIENCE) for each in late] == list(range(5))
