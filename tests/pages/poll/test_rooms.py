"""The store of polls, on SQLite and on a real PostgreSQL: what it keeps, bounds and survives."""

import contextlib
import logging
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select, text

from core import Experiment
from core.reading.guesses import Guesses
from pages.poll import database, floods, room, rooms
from pages.poll.attempts import Attempts
from pages.poll.codes import ALPHABET, number_of, well_formed
from pages.poll.store import (
    GUESSES,
    LONGEST_QUERY,
    ROOMS,
    RoomError,
    disconnect,
    engine,
    transact,
)
from tests.pages.poll.conftest import use
from tests.serving import ROOT

LESSON = Experiment()
ANNA, BEN = "anna-0123456789-0123456789", "ben-0123456789-0123456789"
DELETED = "the file of polls was deleted: a new one is made, and the rooms are gone"
LONGEST_WAIT = 20.0  # seconds; less than what waits for a store by itself


def rows(table):
    return transact(lambda c: c.execute(select(func.count()).select_from(table)).scalar())


def refused(kind, do, *given):
    with pytest.raises(RoomError) as caught:
        do(*given)
    assert caught.value.kind == kind
    assert str(caught.value).endswith(".")
    return str(caught.value)


def test_a_room_holds_its_question_and_is_found_however_its_code_is_typed(store):
    asked = Experiment(width=64, scale=0.1, activation="relu", number_format="float16", seed=2**60)
    room = rooms.open(asked, ANNA)
    assert set(room.code) <= set(ALPHABET) and len(room.code) == 6
    for typed in (room.code, room.code.lower(), f" {room.code[:3]}-{room.code[3:]} "):
        found = rooms.find(typed, BEN)
        assert found == room and found.experiment == asked and not found.revealed
    assert room.is_teacher(ANNA) and not room.is_teacher(BEN)
    assert (
        rooms.counted_guesses(room.code) == Guesses({}) and rooms.own_guess(room.code, BEN) is None
    )


@pytest.mark.parametrize(
    "code",
    [
        "",
        " ",
        "' OR 1=1; --",
        "%",
        "______",
        "A" * 10_000,
        "\x00CDEFG",
        "ＡＣＤＥＦＧ",
        "../../",
        "AC\ud800DEF",
    ],
)
def test_a_hostile_code_is_no_room(store, code):
    room = rooms.open(LESSON, ANNA)
    assert well_formed(code) is None
    assert rooms.find(code, BEN) is None
    refused("unknown", rooms.status, code)
    refused("unknown", rooms.guess, code, BEN, 3)
    assert rooms.find(room.code, BEN) == room


def test_a_viewer_has_one_guess_and_may_change_it(store):
    code = rooms.open(LESSON, ANNA).code
    for iteration in (31, 31, 40, None, 28):
        rooms.guess(code, BEN, iteration)
        assert rooms.own_guess(code, BEN) == (iteration,)
        assert rooms.counted_guesses(code).total == 1
    rooms.guess(code, "another", None)
    assert rooms.counted_guesses(code) == Guesses({28: 1}, never=1)


@pytest.mark.parametrize("iteration", [-1, 100, 10**9])
def test_a_guess_that_cannot_be_is_refused_by_its_value(store, iteration):
    code = rooms.open(LESSON, ANNA).code
    told = refused("value", rooms.guess, code, BEN, iteration)
    assert "from 0 to 99" in told and str(iteration) in told
    assert rooms.own_guess(code, BEN) is None


def test_only_the_teacher_reveals_and_then_nobody_guesses(store):
    code = rooms.open(LESSON, ANNA).code
    rooms.guess(code, BEN, 31)
    refused("teacher", rooms.reveal, code, BEN)
    before = rooms.status(code)
    assert before["guesses"] == 1 and not before["revealed"]
    rooms.reveal(code, ANNA)
    rooms.reveal(code, ANNA)
    assert rooms.find(code, BEN).revealed and rooms.status(code)["revealed"]
    assert rooms.status(code)["version"] != before["version"]
    refused("closed", rooms.guess, code, BEN, 28)
    assert rooms.counted_guesses(code) == Guesses({31: 1})


def test_what_has_expired_is_never_shown_and_makes_way(store, monkeypatch):
    old = rooms.open(LESSON, ANNA).code
    rooms.guess(old, BEN, 31)
    later = time.time() + 3600 * rooms.HOURS + 1
    for module in (room, rooms):
        monkeypatch.setattr(module, "now", lambda: int(later))
    assert rooms.find(old, BEN) is None
    for do in (rooms.counted_guesses, rooms.status):
        refused("unknown", do, old)
    refused("unknown", rooms.guess, old, BEN, 3)
    refused("unknown", rooms.reveal, old, ANNA)
    assert (rows(ROOMS), rows(GUESSES)) == (1, 1)
    rooms.open(LESSON, ANNA)
    assert (rows(ROOMS), rows(GUESSES)) == (1, 0)


def test_rooms_and_guesses_are_bounded(store, monkeypatch):
    monkeypatch.setattr(rooms, "MOST_GUESSES", 2)
    monkeypatch.setattr(rooms, "MOST_OPEN", 2)
    monkeypatch.setattr(rooms, "MOST_ROOMS", 3)
    code = rooms.open(LESSON, ANNA).code
    rooms.open(LESSON, ANNA)
    assert "You have 2" in refused("full", rooms.open, LESSON, ANNA)
    rooms.open(LESSON, BEN)
    assert "Too many rooms" in refused("full", rooms.open, LESSON, BEN)
    rooms.guess(code, "first", 1)
    rooms.guess(code, "second", 2)
    refused("full", rooms.guess, code, "third", 3)
    rooms.guess(code, "first", 4)  # who is in may still change it
    assert rooms.counted_guesses(code) == Guesses({2: 1, 4: 1})


def test_one_address_opens_so_many_rooms_whoever_asks(store, monkeypatch):
    monkeypatch.setattr(rooms, "openings", Attempts(most=3, seconds=3600))
    for number in range(3):
        rooms.open(LESSON, f"viewer {number}", address="192.0.2.7")
    assert "network" in refused("full", ask, "another viewer", "192.0.2.7")
    rooms.open(LESSON, "another viewer", address="192.0.2.8")
    monkeypatch.setattr(rooms.openings, "seconds", 0)
    rooms.open(LESSON, "another viewer", address="192.0.2.7")
    assert rows(ROOMS) == 5


def ask(viewer, address):
    rooms.open(LESSON, viewer, address=address)


def test_an_address_that_opens_rooms_at_once_gets_no_more_of_them():
    openings = Attempts(most=10, seconds=3600)
    with ThreadPoolExecutor(30) as crowd:
        assert sum(crowd.map(lambda _: openings.admit("192.0.2.7"), range(200))) == 10


def test_the_store_is_not_filled_from_one_address():
    configuration = (ROOT / "deploy" / "nginx.conf").read_text()
    processes = len(re.findall(r"server 127\.0\.0\.1:\d+ ", configuration))
    windows = 3600 * room.HOURS / rooms.openings.seconds  # until a room makes way
    assert 0 < processes * windows * rooms.openings.most < rooms.MOST_ROOMS


def test_the_phones_go_on_to_the_teachers_next_room_and_to_nobody_elses(store):
    first = rooms.open(LESSON, ANNA).code
    rooms.open(LESSON, BEN, after=first)
    assert rooms.find(first, BEN).following is None
    second = rooms.open(LESSON, ANNA, after=first).code
    assert rooms.status(first)["stage"] == rooms.find(first, BEN).following == second
    assert rooms.status(second)["stage"] == "open"
    rooms.reveal(second, ANNA)
    assert rooms.status(second)["stage"] == "revealed"
    third = rooms.open(LESSON, ANNA, after=first).code  # the phones are in the second one by now
    assert [rooms.find(code, BEN).following for code in (first, second, third)] == [
        second,
        third,
        None,
    ]
    assert rooms.find(rooms.open(LESSON, ANNA, after="ACDEFG").code, BEN)


def test_a_store_from_before_rooms_followed_each_other_is_read_and_written(store):
    code = rooms.open(LESSON, ANNA).code
    transact(lambda c: c.execute(text("DROP TABLE next_rooms")), writes=True)
    disconnect()
    assert rooms.find(code, BEN).following is None
    following = rooms.open(LESSON, ANNA, after=code).code
    assert rooms.find(code, BEN).following == following


def test_a_class_that_guesses_at_once_is_counted_to_the_last(store):
    code = rooms.open(LESSON, ANNA).code
    with ThreadPoolExecutor(50) as class_room:
        list(class_room.map(lambda k: rooms.guess(code, f"student {k % 40}", k % 40), range(80)))
    assert rooms.counted_guesses(code) == Guesses(dict.fromkeys(range(40), 1))


def test_a_full_room_is_full_however_many_come_at_once(store, monkeypatch):
    monkeypatch.setattr(rooms, "MOST_GUESSES", 10)
    code = rooms.open(LESSON, ANNA).code

    def come(k):
        try:
            rooms.guess(code, f"student {k}", k)
        except RoomError as error:
            return error.kind
        return "in"

    with ThreadPoolExecutor(30) as class_room:
        ends = list(class_room.map(come, range(30)))
    assert sorted(ends) == ["full"] * 20 + ["in"] * 10
    assert rooms.counted_guesses(code).total == 10


def test_nothing_of_a_viewer_is_kept_and_rooms_cannot_be_joined(store):
    codes = [rooms.open(LESSON, ANNA).code for _ in range(2)]
    for code in codes:
        rooms.guess(code, ANNA, 3)
    teachers = transact(lambda c: c.execute(select(ROOMS.c.host)).scalars().all())
    voters = transact(lambda c: c.execute(select(GUESSES.c.voter)).scalars().all())
    assert sorted(teachers) == sorted(voters) == sorted(number_of(code, ANNA) for code in codes)
    assert len(set(teachers)) == 2 and all(0 <= number < 2**63 for number in teachers)


def test_the_longest_question_fits():
    longest = Experiment(
        width=16384,
        depth=2000,
        init="truncated_normal",
        scale=1.2345678901234567e-300,
        activation="relu_squared",
        weights="fresh",
        bias_std=1.2345678901234567e-300,
        number_format="float8_e4m3fn",
        batch_size=4096,
        seed=2**63 - 1,
    )
    assert len(rooms.urlencode(longest.to_query())) <= LONGEST_QUERY


def test_who_tries_codes_has_to_wait_and_others_do_not(store, monkeypatch):
    code = rooms.open(LESSON, ANNA).code
    for _ in range(20):
        assert rooms.find("AAAAAA", BEN) is None
    refused("full", rooms.find, code, BEN)
    assert rooms.find(code, "another")
    monkeypatch.setattr(rooms.failed_attempts, "seconds", 0)
    assert rooms.find(code, BEN)


def test_failed_attempts_are_counted_of_so_many_viewers_only():
    failed = Attempts(most=1, seconds=300)
    for viewer in range(10_000):
        failed.add(str(viewer))
    assert len(failed.times) < 5000 and failed.too_many("9999") and not failed.too_many("0")


# Imports once, and makes a process for every code; they wait until all are there.
OPENS = """
import os, sys
import psycopg
from pages.poll.store import ROOMS, transact
gate, start = os.pipe()
for code in sys.argv[1:]:
    if os.fork() == 0:
        os.close(start)
        os.read(gate, 1)
        row = {"code": code, "query": "", "host": 1, "opened": 0, "expires": 0, "revealed": False}
        transact(lambda connection: connection.execute(ROOMS.insert().values(row)), writes=True)
        os._exit(0)
os.close(start)
sys.exit(any([os.wait()[1] for _ in sys.argv[1:]]))
"""


def test_many_processes_find_an_empty_store_at_once(store):
    codes = [f"ROOM{k}" for k in range(4)]
    subprocess.run([sys.executable, "-c", OPENS, *codes], cwd=ROOT, check=True, timeout=60)
    assert rows(ROOMS) == 4


@pytest.mark.parametrize("restarted", [True, False])
def test_a_store_from_before_guesses_were_counted_by_address_is_read_and_written(store, restarted):
    code = rooms.open(LESSON, ANNA).code
    rooms.guess(code, BEN, 31)
    for change in (
        "DROP TABLE kept_out",
        "ALTER TABLE guesses DROP COLUMN network",
        "ALTER TABLE rooms DROP COLUMN cleared",
    ):
        transact(lambda c, statement=change: c.execute(text(statement)), writes=True)
    if restarted:
        disconnect()
    assert rooms.find(code, ANNA) == room.Room(code, LESSON, number_of(code, ANNA), False)
    rooms.guess(code, "another", 28, "192.0.2.7")
    assert rooms.counted_guesses(code) == Guesses({28: 1, 31: 1})
    assert floods.networks_of(code) == floods.Networks()


def test_a_store_that_was_emptied_comes_back(store):
    rooms.open(LESSON, ANNA)
    for table in ("kept_out", "next_rooms", "guesses", "rooms"):
        transact(lambda c, name=table: c.execute(text(f"DROP TABLE {name}")), writes=True)
    assert rooms.find("ACDEFG", ANNA) is None
    assert rooms.find(rooms.open(LESSON, ANNA).code, ANNA)


def in_time(kind, do, *given):
    before = time.monotonic()
    told = refused(kind, do, *given)
    assert time.monotonic() - before < LONGEST_WAIT
    return told


def test_postgresql_is_restarted_and_the_guess_goes_through(in_postgresql):
    code = rooms.open(LESSON, ANNA).code
    rooms.guess(code, BEN, 31)
    in_postgresql.stop()
    in_postgresql.start()
    rooms.guess(code, BEN, 28)
    assert rooms.counted_guesses(code) == Guesses({28: 1})


def test_postgresql_is_restarted_under_load_and_no_guess_is_lost(in_postgresql):
    code = rooms.open(LESSON, ANNA).code

    def student(number):
        """As the page does: what could not be kept is sent again."""
        refusals = 0
        for iteration in range(10):
            while True:
                try:
                    rooms.guess(code, f"student {number}", iteration + number)
                except RoomError as error:
                    if error.kind != "away":
                        raise
                    refusals += 1
                    time.sleep(0.1)
                else:
                    break
            time.sleep(0.05)
        return refusals

    with ThreadPoolExecutor(20) as class_room:
        answers = [class_room.submit(student, number) for number in range(20)]
        for _ in range(2):
            time.sleep(0.2)
            in_postgresql.stop()
            time.sleep(0.3)
            in_postgresql.start()
        assert sum(answer.result(60) for answer in answers) > 0  # it was noticed
    assert rooms.counted_guesses(code) == Guesses({9 + number: 1 for number in range(20)})


def test_postgresql_is_away_which_is_said_and_logged_and_comes_back(in_postgresql, caplog):
    code = rooms.open(LESSON, ANNA).code
    in_postgresql.stop()
    try:
        with caplog.at_level(logging.ERROR, "good_init"):
            in_time("away", rooms.guess, code, BEN, 31)
        assert "store of polls is away" in caplog.text
        in_time("away", rooms.find, code, BEN)
    finally:
        in_postgresql.start()
    rooms.guess(code, BEN, 31)
    assert rooms.own_guess(code, BEN) == (31,)


def test_a_connection_that_breaks_in_the_middle_is_replaced_once(in_postgresql):
    code = rooms.open(LESSON, ANNA).code
    tried = []

    def work(connection):
        tried.append(1)
        if len(tried) == 1:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return connection.execute(select(ROOMS.c.code)).scalar()

    assert transact(work) == code and len(tried) == 2


def test_postgresql_that_stands_still_keeps_nobody_waiting(in_postgresql, monkeypatch):
    monkeypatch.setattr("pages.poll.store.LONGEST_WAIT", 1.0)
    code = rooms.open(LESSON, ANNA).code
    with in_postgresql.frozen():
        in_time("away", rooms.guess, code, BEN, 31)
        in_time("away", rooms.find, code, BEN)
    rooms.guess(code, "another", 28)
    assert rooms.own_guess(code, "another") == (28,)
    assert rooms.own_guess(code, BEN) is None  # what was said to have failed is not done later


def test_a_row_that_another_holds_in_postgresql_does_not_hang(in_postgresql):
    code = rooms.open(LESSON, ANNA).code
    with engine().begin() as other:
        other.execute(select(ROOMS).with_for_update())
        in_time("away", rooms.guess, code, BEN, 31)
    rooms.guess(code, BEN, 31)
    assert rooms.own_guess(code, BEN) == (31,)


def test_a_locked_sqlite_is_read_and_not_waited_for(in_sqlite):
    code = rooms.open(LESSON, ANNA).code
    other = sqlite3.connect(in_sqlite, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    in_time("away", rooms.guess, code, BEN, 31)
    assert rooms.find(code, BEN).code == code
    other.execute("ROLLBACK")
    other.close()
    rooms.guess(code, BEN, 31)
    assert rooms.own_guess(code, BEN) == (31,)


def test_a_full_disk_refuses_the_guess_and_keeps_the_room(in_sqlite, caplog):
    code = rooms.open(LESSON, ANNA).code
    raw = "PRAGMA max_page_count = {}"
    size = transact(lambda c: c.exec_driver_sql("PRAGMA page_count").scalar())
    pool = engine()

    def limit(pages):
        with pool.connect() as connection:
            connection.exec_driver_sql(raw.format(pages))

    limit(size)  # the pool has one connection: the one that is used next
    with pytest.raises(RoomError) as caught:
        for k in range(1000):
            rooms.guess(code, f"student {k}", k % 100)
    assert caught.value.kind == "away" and "full" in caplog.text
    kept = rooms.counted_guesses(code).total
    assert 0 < kept < 1000 and rooms.find(code, ANNA)
    limit(2**30)
    rooms.guess(code, f"student {kept}", 5)
    assert rooms.counted_guesses(code).total == kept + 1


def delete(store, how):
    """As somebody does who tidies up the machine."""
    if how == "its folder":
        shutil.rmtree(store.parent)
    elif how == "all files":
        for file in store.parent.iterdir():
            file.unlink()
    else:
        store.unlink()


@pytest.mark.parametrize("how", ["the file", "all files", "its folder"])
def test_sqlite_that_is_deleted_is_made_anew_with_one_line_in_the_log(in_sqlite, how, caplog):
    old = rooms.open(LESSON, ANNA).code
    with ThreadPoolExecutor(8) as class_room:
        list(class_room.map(lambda k: rooms.guess(old, f"student {k}", k), range(8)))
        delete(in_sqlite, how)
        with caplog.at_level(logging.ERROR, "good_init"):
            assert set(class_room.map(lambda k: rooms.find(old, f"student {k}"), range(8))) == {
                None
            }
        code = rooms.open(LESSON, ANNA).code
        list(class_room.map(lambda k: rooms.guess(code, f"student {k}", k), range(8)))
    assert [record.getMessage() for record in caplog.records] == [DELETED]
    with contextlib.closing(sqlite3.connect(in_sqlite)) as other:  # what another process sees
        assert other.execute("SELECT count(*) FROM guesses").fetchone() == (8,)


def test_what_is_left_beside_a_deleted_sqlite_is_not_shared_with_the_new_one(in_sqlite, tmp_path):
    """Another process may still hold it, for the file that is gone."""
    rooms.open(LESSON, ANNA)
    left, held = in_sqlite.with_name("rooms.sqlite-shm"), tmp_path / "held"
    held.hardlink_to(left)
    delete(in_sqlite, "the file")
    rooms.open(LESSON, ANNA)
    assert left.exists() and not left.samefile(held)


def test_sqlite_that_another_process_has_made_anew_is_the_one_in_use(in_sqlite):
    rooms.open(LESSON, ANNA)
    delete(in_sqlite, "all files")
    command = [sys.executable, "-c", OPENS, "ACDEFG"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    codes = transact(lambda c: c.execute(select(ROOMS.c.code)).scalars().all())
    assert codes == ["ACDEFG"]


def test_sqlite_that_cannot_be_written_is_away(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    use(monkeypatch, f"sqlite:///{tmp_path / 'file' / 'rooms.sqlite'}")
    refused("away", rooms.open, LESSON, ANNA)


def test_sqlite_is_set_up_for_many_readers_and_a_writer(in_sqlite):
    rooms.open(LESSON, ANNA)
    for name, value in (("journal_mode", "wal"), ("synchronous", 1), ("foreign_keys", 1)):
        assert transact(lambda c, n=name: c.exec_driver_sql(f"PRAGMA {n}").scalar()) == value


class Colliding:
    """SQLite's connection as others see it who open an empty file at the same moment: 1 in 30."""

    def __init__(self, times):
        self.times = times

    def execute(self, statement):
        self.times -= 1
        if self.times >= 0:
            raise sqlite3.OperationalError("database is locked")


def test_a_collision_over_an_empty_file_is_waited_out_but_not_for_ever(monkeypatch):
    database.write_ahead(Colliding(3))
    monkeypatch.setattr(database, "PATIENCE", 0.1)
    with pytest.raises(sqlite3.OperationalError):
        database.write_ahead(Colliding(10_000))


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("sqlite:////var/lib/good-init/rooms.sqlite", "sqlite"),
        ("postgresql+psycopg://me:secret@host/rooms", "postgresql+psycopg"),
        ("postgresql://me:secret@host/rooms", "postgresql+psycopg"),
        ("postgres://me:secret@host/rooms", "postgresql+psycopg"),
    ],
)
def test_the_setting_names_a_database(monkeypatch, given, driver):
    monkeypatch.setenv("GOOD_INIT_ROOMS", given)
    assert database.address().drivername == driver


@pytest.mark.parametrize("given", ["", "sqlite://", "mysql://h/secret", "secret"])
def test_a_mistaken_setting_is_named_and_not_repeated(monkeypatch, given):
    monkeypatch.setenv("GOOD_INIT_ROOMS", given)
    with pytest.raises(ValueError, match="GOOD_INIT_ROOMS must be sqlite") as caught:
        database.address()
    assert "secret" not in str(caught.value)
