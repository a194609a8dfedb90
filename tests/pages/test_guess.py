"""The poll's page: teacher and student, before and after the answer; a store that is away."""

import json

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core import Experiment, propagate
from core.reading.guesses import Guesses
from core.reading.verdict import judge
from pages.poll import database, floods, rooms
from pages.poll.attempts import Attempts
from pages.poll.codes import spaced
from pages.poll.store import ROOMS, disconnect, transact
from tests.pages.test_explore import answer, blocks, chart, opened, problems, words
from tests.serving import ROOT

BREAKS = Experiment(width=64, depth=60)
HOLDS = Experiment(width=64, depth=30, scale=0.125)
TEACHER = "teacher-0123456789-0123456789"
TOO_MANY = "Too many rooms were opened from your network: try again later."


@pytest.fixture(autouse=True)
def store(monkeypatch, tmp_path):
    """A store of its own for each test; gives where it is."""
    monkeypatch.setenv("GOOD_INIT_ROOMS", f"sqlite:///{tmp_path / 'rooms.sqlite'}")
    monkeypatch.setattr(database, "PATIENCE", 0.2)
    monkeypatch.setattr(rooms, "failed_attempts", Attempts(most=20, seconds=300))
    yield tmp_path / "rooms.sqlite"
    disconnect()


def arrive(room=None, viewer=None):
    """The page as a viewer gets it: with this word in the session, or with a new one."""
    at = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    at.switch_page("pages/guess.py")
    if room is not None:
        at.query_params["room"] = room
    if viewer:
        at.session_state["_viewer"] = viewer
    at.run()
    assert not at.exception
    return at


def press(at, key):
    [button] = [button for button in at.button if button.key == key]
    button.click().run()
    assert not at.exception


def ask_class(at):
    """In the dialog; with a whole run, for the test knows no runs of a dialog alone."""
    at.button(key="share").click().run()
    at.button(key="ask_class").click()
    at.button(key="share").click().run()
    assert not at.exception


def room_of(at):
    """The code in the address, however the test keeps it."""
    found = at.query_params["room"]
    return found if isinstance(found, str) else found[0]


def guess(at, number):
    [field] = at.number_input
    field.set_value(number)
    press(at, "send")


def heading(at):
    [block] = blocks(at, "gi-question")
    return words(block)


def said(at):
    """What the student's own line says."""
    bodies = [part.proto.body for part in at.get("html")]
    return " ".join(words(body) for body in bodies if body.startswith('<p class="gi-feedback'))


def sent(at):
    """Everything that the browser gets, as text."""
    kinds = ("html", "bidi_component", "markdown", "alert", "number_input", "button")
    parts = [str(part.proto) for kind in kinds for part in at.get(kind)]
    return "\n".join(part for part in parts if "<style>" not in part)


def keys(at):
    return {button.key for button in at.button}


def watched(at):
    [proto] = [part.proto for part in at.get("bidi_component") if "-watch" in part.proto.id]
    return json.loads(proto.json)


def charts_of(at):
    return [part for part in at.get("bidi_component") if "-guesses" in part.proto.id]


@pytest.fixture
def room():
    return rooms.open(BREAKS, TEACHER).code


def test_without_a_room_there_is_a_field_for_the_code(room):
    at = arrive()
    at.text_input(key="code").set_value(f"{room[:3]} {room[3:].lower()}")
    press(at, "join")
    assert room_of(at) == room
    assert "64 × 64 weights from randn" in heading(at)
    assert "for i in range(60): x = a @ x" in heading(at)


@pytest.mark.parametrize("asked", ["xyz", "<script>", "0O1IL0", "A" * 500])
def test_what_is_no_code_is_told_where_one_is_found(asked):
    at = arrive(asked)
    assert problems(at) == [
        "That is not a room code. It has 6 letters and digits and is on your teacher's screen."
    ]
    assert at.text_input(key="code")


def test_a_room_that_is_over_is_said_so():
    at = arrive("ACDEFG")
    assert problems(at) == ["There is no room ACDEFG. A room is open for 6 hours."]
    assert at.text_input(key="code")


def test_share_opens_a_room_for_what_is_on_screen_and_goes_there():
    at = opened(width="64", depth="30", scale="0.1")
    ask_class(at)
    [row] = transact(lambda c: c.execute(ROOMS.select()).all())
    asked = Experiment(width=64, depth=30, scale=0.1)
    assert rooms.find(row.code, "x").experiment == asked


def test_a_store_that_is_away_opens_no_room_and_says_so(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("GOOD_INIT_ROOMS", f"sqlite:///{tmp_path / 'file' / 'rooms.sqlite'}")
    at = opened(width="64", depth="30")
    ask_class(at)
    assert not at.exception
    assert [error.value for error in at.error] == ["The guesses cannot be reached right now."]


def test_a_student_guesses_and_changes_the_guess(room):
    at = arrive(room)
    assert said(at) == "What is your guess?"
    guess(at, 31)
    assert said(at) == "Your guess: 31 . You may change it until the answer is shown."
    guess(at, 40)
    assert rooms.counted_guesses(room) == Guesses({40: 1})
    press(at, "never")
    assert "Your guess: never ." in said(at)
    assert rooms.counted_guesses(room) == Guesses({}, never=1)


def test_an_empty_field_is_no_guess(room):
    at = arrive(room)
    press(at, "send")
    bodies = [part.proto.body for part in at.get("html")]
    assert any("Type a number first." in body for body in bodies)
    assert rooms.counted_guesses(room).total == 0


def test_nothing_of_the_answer_or_of_others_reaches_a_student_before_it_is_shown(room):
    rooms.guess(room, "another", 17)
    run = propagate(BREAKS)
    at = arrive(room)
    guess(at, 59)
    text = sent(at)
    assert "gi-answer" not in text and "predicted" not in text and judge(run).sentence not in text
    assert not charts_of(at) and "reveal" not in keys(at)
    for number in (run.events.first_nonfinite, 17):
        assert f" {number}" not in text.replace("0 to 59", "")
    assert watched(at) == {"path": f"rooms/{room}.json", "what": "stage", "known": "open"}


def test_the_question_is_the_same_whatever_becomes_of_x():
    two = [rooms.open(e, TEACHER).code for e in (BREAKS, BREAKS.replace(scale=0.001))]
    first, second = (heading(arrive(code)) for code in two)
    assert first.replace("weights from randn", "weights from randn × 0.001") == second
    assert first.startswith("At which iteration does x become NaN, if ever?")


def test_after_the_answer_is_shown_a_student_sees_how_far_off_it_was(room):
    at = arrive(room)
    first = propagate(BREAKS).events.first_nonfinite
    guess(at, first + 3)
    rooms.guess(room, "another", 17)
    rooms.reveal(room, TEACHER)
    at.run()
    assert said(at) == f"You said {first + 3}, it is {first}: 3 too late."
    assert f"NaN iteration {first}" in answer(at) and "predicted" in answer(at)
    data = chart(at, "guesses")["figure"]["data"]
    [own] = [trace for trace in data if trace["uid"] == "own"]
    assert own["x"] == [first + 3] and not at.number_input and "send" not in keys(at)
    [bars] = [trace for trace in data if trace["uid"] == "guesses"]
    assert dict(zip(bars["x"], bars["y"], strict=True)) == {17: 1, first + 3: 1}


def test_a_signal_that_holds_is_answered_by_never():
    code = rooms.open(HOLDS, TEACHER).code
    at = arrive(code)
    press(at, "never")
    rooms.reveal(code, TEACHER)
    at.run()
    assert said(at) == "You said never, and that is right."
    figure = chart(at, "guesses")["figure"]
    assert "measured: never" in figure["layout"]["annotations"][0]["text"]


def test_a_guess_after_the_answer_is_refused_in_words(room):
    at = arrive(room)
    rooms.reveal(room, TEACHER)
    guess(at, 31)
    assert rooms.counted_guesses(room).total == 0
    assert "measured" in str(chart(at, "guesses")["figure"]["layout"]["annotations"])


def test_the_teacher_sees_the_way_in_and_the_guesses_but_not_the_answer(room):
    rooms.guess(room, "one", 17)
    rooms.guess(room, "two", None)
    at = arrive(room, TEACHER)
    [way_in] = blocks(at, "gi-room")
    assert words(way_in).endswith(f"with the code {room[:3]} {room[3:]}")
    assert "gi-qr" in sent(at) and f"room={room}" not in way_in
    figure = chart(at, "guesses")["figure"]
    assert [trace["uid"] for trace in figure["data"]] == ["guesses", "never"]
    assert figure["layout"]["shapes"] == [] and not blocks(at, "gi-answer")
    told = "2 guesses, at 17, 1 says never."
    assert told in sent(at) and told in figure["layout"]["meta"]["alt"]
    assert watched(at)["what"] == "version"
    assert watched(at)["known"] == rooms.status(room)["version"]


def test_the_teacher_reveals_and_asks_again(room):
    rooms.guess(room, "one", 17)
    at = arrive(room, TEACHER)
    press(at, "reveal")
    run = propagate(BREAKS)
    assert judge(run).sentence in answer(at) and "predicted" in answer(at)
    figure = chart(at, "guesses")["figure"]
    assert figure["layout"]["shapes"][0]["x0"] == run.events.first_nonfinite
    assert "predicted" in [trace["uid"] for trace in figure["data"]]
    assert rooms.find(room, "x").revealed
    press(at, "ask_again")
    other = room_of(at)
    assert other != room and rooms.find(other, "x").experiment == BREAKS
    assert blocks(at, "gi-room") and "reveal" in keys(at)


def test_the_phones_come_along_when_the_teacher_asks_again(room):
    teacher, phone = arrive(room, TEACHER), arrive(room)
    press(teacher, "reveal")
    phone.run()
    assert watched(phone)["known"] == "revealed" == rooms.status(room)["stage"]
    press(teacher, "ask_again")
    other = room_of(teacher)
    assert rooms.status(room)["stage"] == other
    phone.run()
    assert not phone.exception and room_of(phone) == other
    assert watched(phone) == {"path": f"rooms/{other}.json", "what": "stage", "known": "open"}
    guess(phone, 40)
    assert rooms.counted_guesses(other) == Guesses({40: 1})
    phone.query_params["room"] = room  # a step back shows the answer of before, and the way on
    phone.run()
    assert not phone.exception and "NaN iteration" in answer(phone)
    [way_on] = phone.get("page_link")
    assert way_on.proto.label == f"Go on to room {spaced(other)}"


def test_the_phones_of_an_answered_room_come_along_from_explore(room):
    at = arrive(room, TEACHER)
    press(at, "reveal")
    at.switch_page("pages/explore.py").run()
    at.button(key="share").click().run()
    assert at.checkbox(key="come_along").label == f"The phones in room {spaced(room)} come along"
    ask_class(at)
    [other] = transact(lambda c: c.execute(ROOMS.select().where(ROOMS.c.code != room)).all())
    assert rooms.status(room)["stage"] == other.code


def test_a_number_that_is_not_whole_is_no_guess(room):
    at = arrive(room)
    guess(at, 12.7)
    assert "12.7 is not an iteration: do you mean 12 or 13?" in said(at)
    assert rooms.counted_guesses(room).total == 0
    guess(at, 13.0)
    assert rooms.counted_guesses(room) == Guesses({13: 1})


def test_rooms_of_one_address_are_bounded_whatever_the_cookie(monkeypatch):
    monkeypatch.setattr(rooms, "openings", Attempts(most=2, seconds=3600))
    monkeypatch.setattr(type(st.context), "ip_address", "192.0.2.7")
    for viewer in range(3):
        at = opened(width="64", depth="30")
        at.session_state["_viewer"] = f"viewer-{viewer}-0123456789-0123456789"
        ask_class(at)
        told = [error.value for error in at.error]
        assert told == [TOO_MANY] * (viewer == 2)
    assert transact(lambda c: len(c.execute(ROOMS.select()).all())) == 2


def flooded(room, monkeypatch):
    """A room with a class of two, and a flood of four from one other address."""
    monkeypatch.setattr(floods, "MANY", 3)
    for k in range(2):
        rooms.guess(room, f"pupil {k}", k, "192.0.2.7")
    for k in range(4):
        rooms.guess(room, f"cookie-{k}-0123456789-0123456789", 59, "198.51.100.9")


def flood_of(at):
    """What the teacher is told of a flood."""
    bodies = [
        part.proto.body
        for part in at.get("html")
        if part.proto.body.startswith('<p class="gi-flood"')
    ]
    return [words(body) for body in bodies]


def from_address(monkeypatch, address):
    """Let the pages be asked for from there."""
    monkeypatch.setattr(type(st.context), "ip_address", address)


def test_the_teacher_removes_a_flood_and_keeps_its_address_out(room, monkeypatch):
    flooded(room, monkeypatch)
    from_address(monkeypatch, "198.51.100.9")
    phone = arrive(room, "cookie-1-0123456789-0123456789")
    assert "Your guess: 59" in said(phone)
    from_address(monkeypatch, "192.0.2.7")
    at = arrive(room, TEACHER)
    [told] = flood_of(at)
    assert told.startswith("4 of 6 guesses came from one internet address. It is not yours.")
    press(at, "keep_out")
    assert rooms.counted_guesses(room) == Guesses({0: 1, 1: 1}) and not flood_of(at)
    assert "keep_out" not in keys(at)
    from_address(monkeypatch, "198.51.100.9")
    phone.run()
    assert said(phone).startswith("Your teacher takes no guesses from your network in this room.")
    assert not phone.number_input and watched(phone)["known"] == rooms.status(room)["stage"]
    from_address(monkeypatch, "192.0.2.7")
    press(at, "let_in")
    assert "let_in" not in keys(at)
    from_address(monkeypatch, "198.51.100.9")
    phone.run()
    guess(phone, 31)
    assert rooms.counted_guesses(room) == Guesses({0: 1, 1: 1, 31: 1})


def test_a_class_behind_the_flooded_address_is_not_kept_out_and_guesses_again(room, monkeypatch):
    flooded(room, monkeypatch)
    from_address(monkeypatch, "198.51.100.9")
    phone = arrive(room)
    guess(phone, 28)
    at = arrive(room, TEACHER)
    [told] = flood_of(at)
    assert told.startswith("5 of 7 guesses came from one internet address. It is yours as well")
    assert "keep_out" not in keys(at)
    press(at, "remove_flood")
    phone.run()
    assert said(phone).startswith("Your teacher has removed all guesses from your network")
    phone.run()
    assert said(phone).startswith("Your teacher has removed")
    guess(phone, 28)
    assert said(phone).startswith("Your guess: 28")
    assert rooms.counted_guesses(room) == Guesses({0: 1, 1: 1, 28: 1})


def test_a_flood_is_removed_after_the_answer_too(room, monkeypatch):
    flooded(room, monkeypatch)
    rooms.reveal(room, TEACHER)
    at = arrive(room, TEACHER)
    assert "keep_out" not in keys(at) and "Guesses are closed now" in flood_of(at)[0]
    press(at, "remove_flood")
    [bars] = [t for t in chart(at, "guesses")["figure"]["data"] if t["uid"] == "guesses"]
    assert list(bars["x"]) == [0, 1]


def test_no_student_is_told_of_a_flood(room, monkeypatch):
    flooded(room, monkeypatch)
    at = arrive(room)
    assert not flood_of(at) and not keys(at) & {"remove_flood", "keep_out", "let_in"}


@pytest.mark.parametrize(
    "bounded",
    [(rooms, "guessings", Attempts(most=1, seconds=600)), (floods, "MOST_FROM_ONE", 1)],
    ids=["in time", "in a room"],
)
def test_a_guess_too_many_from_one_address_is_refused_in_words(room, monkeypatch, bounded):
    from_address(monkeypatch, "192.0.2.7")
    monkeypatch.setattr(*bounded)
    rooms.guess(room, "another", 3, "192.0.2.7")
    at = arrive(room)
    guess(at, 31)
    [told] = problems(at)
    assert (
        "your network" in told and not said(at) and rooms.counted_guesses(room) == Guesses({3: 1})
    )


def test_a_room_whose_store_was_deleted_is_told_to_be_over(room, store):
    teacher, phone = arrive(room, TEACHER), arrive(room)
    for file in store.parent.glob("rooms.sqlite*"):
        file.unlink()
    for at in (teacher, phone):
        at.run()
        assert not at.exception
        [told] = problems(at)
        assert told.startswith(f"Room {room} is over, and its guesses are gone.")
        assert at.text_input(key="code") and not at.get("page_link")[:-1]


def test_what_the_host_will_not_compute_is_not_revealed(room, monkeypatch):
    code = rooms.open(Experiment(width=700, depth=9), TEACHER).code
    at = arrive(code, TEACHER)
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1000")
    press(at, "reveal")
    assert any("lower" in told for told in problems(at))
    assert not rooms.find(code, "x").revealed


def lose(store):
    """Let the store be away: writers are refused, and so are readers."""
    disconnect()
    store.rename(store.with_suffix(".away"))
    store.mkdir()


def find_again(store):
    store.rmdir()
    store.with_suffix(".away").rename(store)


def test_a_guess_that_could_not_be_stored_waits_and_is_sent_by_itself(room, store):
    at = arrive(room)
    lose(store)
    guess(at, 31)
    assert "Your guess, 31, could not be handed in yet." in said(at)
    assert watched(at)["known"] is None
    find_again(store)
    at.run()
    assert said(at).startswith("Your guess: 31 .")
    assert rooms.counted_guesses(room) == Guesses({31: 1})


def test_a_page_that_opens_while_the_store_is_away_waits_for_it(room, store):
    lose(store)
    at = arrive(room)
    assert problems(at) == ["The guesses cannot be reached right now."]
    assert watched(at)["known"] is None
    find_again(store)
    at.run()
    assert said(at) == "What is your guess?"


def test_the_teacher_keeps_the_last_guesses_while_the_store_is_away(room, store):
    rooms.guess(room, "one", 17)
    at = arrive(room, TEACHER)
    lose(store)
    at.run()
    assert problems(at)[0].startswith("The guesses cannot be reached right now.")
    assert "1 guess, at 17." in sent(at) and blocks(at, "gi-room")
    find_again(store)
    at.run()
    assert not problems(at)


def test_who_is_no_teacher_has_no_reveal_whatever_the_link_says(room):
    at = arrive(room, "someone-else-0123456789-0123")
    assert "reveal" not in keys(at) and at.number_input


def test_explore_goes_on_where_it_was_after_a_visit_here(room):
    at = opened(width="64", depth="30", scale="0.1")
    at.switch_page("pages/guess.py").run()
    assert not at.exception and at.text_input(key="code")
    at.switch_page("pages/explore.py").run()
    assert not at.exception
    assert at.select_slider(key="width").value == 64 and at.select_slider(key="depth").value == 30
