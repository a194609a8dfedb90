"""Guesses and codes counted by address: what one address may do, and how a teacher ends a flood."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text

from core import Experiment
from core.reading.guesses import Guesses
from pages.poll import floods, rooms
from pages.poll.attempts import Attempts
from pages.poll.codes import ALPHABET, LENGTH, network_of
from pages.poll.floods import Flood, Networks
from pages.poll.store import GUESSES, KEPT_OUT, RoomError, transact
from tests.serving import ROOT

LESSON = Experiment()
TEACHER = "anna-0123456789-0123456789"
SCHOOL, FLOOD = "192.0.2.7", "198.51.100.9"


def refused(kind, do, *given):
    with pytest.raises(RoomError) as caught:
        do(*given)
    assert caught.value.kind == kind
    return str(caught.value)


@pytest.fixture
def code(store, monkeypatch):
    """A room with a class of four behind one address, and a flood of six from another."""
    monkeypatch.setattr(floods, "MANY", 5)
    monkeypatch.setattr(floods, "MOST_FROM_ONE", 6)
    opened = rooms.open(LESSON, TEACHER).code
    for k in range(4):
        rooms.guess(opened, f"pupil {k}", k, SCHOOL)
    for k in range(6):
        rooms.guess(opened, f"cookie {k}", 99, FLOOD)
    return opened


def test_one_address_takes_only_its_part_of_a_room(code):
    told = refused("full", rooms.guess, code, "cookie 6", 99, FLOOD)
    assert told.startswith("This room has 6 guesses from your network, and takes no more: tell")
    rooms.guess(code, "cookie 5", 98, FLOOD)  # which is in may still change its guess
    rooms.guess(code, "pupil 4", 4, SCHOOL)
    rooms.guess(code, "at home", 5, "203.0.113.1")
    assert rooms.counted_guesses(code).total == 12


def test_an_address_that_guesses_at_once_gets_no_more_of_a_room(store, monkeypatch):
    monkeypatch.setattr(floods, "MOST_FROM_ONE", 10)
    code = rooms.open(LESSON, TEACHER).code

    def come(k):
        try:
            rooms.guess(code, f"cookie {k}", k, FLOOD)
        except RoomError as error:
            return error.kind
        return "in"

    with ThreadPoolExecutor(30) as crowd:
        assert sorted(crowd.map(come, range(30))) == ["full"] * 20 + ["in"] * 10


def test_the_teacher_is_told_of_very_many_guesses_from_one_address_only(code, monkeypatch):
    flood = Flood(network_of(code, FLOOD), 6, 10)
    assert floods.networks_of(code) == Networks(flood)
    monkeypatch.setattr(floods, "MANY", 6)
    assert floods.networks_of(code) == Networks()


def test_a_flood_is_removed_and_its_address_may_guess_again(code):
    stage = rooms.status(code)["stage"]
    floods.clear(code, TEACHER, network_of(code, FLOOD), keep_out=False)
    assert rooms.counted_guesses(code) == Guesses(dict.fromkeys(range(4), 1))
    assert rooms.own_guess(code, "cookie 1") is None and rooms.own_guess(code, "pupil 1") == (1,)
    assert rooms.status(code)["stage"] != stage  # so the phones draw it again
    rooms.guess(code, "cookie 1", 50, FLOOD)
    assert floods.networks_of(code) == Networks()


def test_an_address_is_kept_out_of_this_room_until_it_is_let_in_again(code):
    other = rooms.open(LESSON, TEACHER).code
    floods.clear(code, TEACHER, network_of(code, FLOOD), keep_out=True)
    floods.clear(code, TEACHER, network_of(code, FLOOD), keep_out=True)
    assert floods.is_kept_out(code, FLOOD) and not floods.is_kept_out(code, SCHOOL)
    assert floods.networks_of(code) == Networks(None, kept_out=1)
    told = refused("closed", rooms.guess, code, "cookie 1", 99, FLOOD)
    assert told == "This room takes no guesses from your network."
    rooms.guess(code, "pupil 1", 9, SCHOOL)
    rooms.guess(other, "cookie 1", 99, FLOOD)
    stage = rooms.status(code)["stage"]
    floods.let_in(code, TEACHER)
    assert rooms.status(code)["stage"] != stage and not floods.is_kept_out(code, FLOOD)
    rooms.guess(code, "cookie 1", 99, FLOOD)


def test_only_the_rooms_teacher_removes_guesses_and_lets_in(code):
    network = network_of(code, SCHOOL)
    for do in (
        lambda viewer: floods.clear(code, viewer, network, keep_out=True),
        lambda viewer: floods.let_in(code, viewer),
    ):
        refused("teacher", do, "cookie 1")
    assert rooms.counted_guesses(code).total == 10 and not floods.is_kept_out(code, SCHOOL)


def test_a_room_that_makes_way_takes_what_is_known_of_addresses_with_it(code):
    floods.clear(code, TEACHER, network_of(code, FLOOD), keep_out=True)
    transact(lambda c: c.execute(text("DELETE FROM rooms")), writes=True)
    for table in (GUESSES, KEPT_OUT):
        assert transact(lambda c, t=table: c.execute(select(t)).all()) == []


def test_no_address_can_be_read_from_its_number(code):
    stored = transact(lambda c: c.execute(select(GUESSES.c.network)).scalars().all())
    assert set(stored) == {network_of(code, SCHOOL), network_of(code, FLOOD)}
    other = rooms.open(LESSON, TEACHER).code
    assert network_of(code, SCHOOL) != network_of(other, SCHOOL)
    ends = range(200_000)
    numbers = [network_of(code, f"10.{k >> 16}.{k >> 8 & 255}.{k & 255}") for k in ends]
    assert all(0 <= number < 2**16 for number in numbers)
    # 200,000 addresses on 65,536 numbers, at random: 1 - exp(-3.05) = 95.3 % of them are in use,
    # with a standard error of 0.06 %.
    assert len(set(numbers)) / 2**16 == pytest.approx(0.953, abs=0.003)


def test_guesses_of_one_address_are_bounded_in_time_whatever_the_cookie_and_the_room(
    store, monkeypatch
):
    monkeypatch.setattr(rooms, "guessings", Attempts(most=3, seconds=600))
    codes = [rooms.open(LESSON, TEACHER).code for _ in range(4)]
    for k in range(3):
        rooms.guess(codes[k], f"cookie {k}", k, FLOOD)
    told = refused("full", rooms.guess, codes[3], "cookie 3", 3, FLOOD)
    assert told == "Too many guesses come from your network: wait ten minutes."
    rooms.guess(codes[3], "pupil", 3, SCHOOL)


def test_codes_that_are_no_room_are_counted_by_address_whatever_the_cookie(store, monkeypatch):
    monkeypatch.setattr(rooms, "failed_from_address", Attempts(most=3, seconds=300))
    code = rooms.open(LESSON, TEACHER).code
    for k in range(3):
        assert rooms.find("AAAAAA", f"cookie {k}", FLOOD) is None
    assert "your network" in refused("full", rooms.find, code, "cookie 3", FLOOD)
    assert rooms.find(code, "pupil", SCHOOL)


def test_the_bounds_fit_a_school_and_no_code_is_found_by_trying():
    school = 300
    assert school <= floods.MANY
    assert 2 * school <= floods.MOST_FROM_ONE <= rooms.MOST_GUESSES - school
    assert rooms.guessings.most >= 4 * 4 * school  # four classes, and four guesses each
    assert rooms.failed_from_address.most >= 10 * school
    configuration = (ROOT / "deploy" / "nginx.conf").read_text()
    processes = len(re.findall(r"server 127\.0\.0\.1:\d+ ", configuration))
    times = 86400 / rooms.failed_from_address.seconds
    tried = processes * times * rooms.failed_from_address.most  # in a day, from one address
    assert 0 < tried < len(ALPHABET) ** LENGTH / 50  # one room is found in two months
