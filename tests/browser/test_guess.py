"""A class in Chromium: a teacher at a projector and a student with a phone, at the same time."""

import re

import pytest
from playwright.sync_api import expect

from core import Experiment
from pages.poll import rooms
from tests.browser.on_screen import (
    drawn,
    ends_above,
    has_query,
    query_of,
    scrolls_one_way,
    until,
    visit,
)
from tests.browser.test_accessibility import VIEWS, nothing_found
from tests.browser.test_number_formats import PHONE, faults

GUESSED = "document.querySelector('.gi-plot')?.data?.find(({ uid }) => uid === 'guesses')"
TEACHER = "teacher-0123456789-0123456789"


def code_of(page):
    expect(page).to_have_url(re.compile(r"/guess\?room=[A-Z0-9]{6}$"))
    return query_of(page)["room"]


def ask_the_class(page, address, **query):
    """From Explore, by Share; returns the code of the room."""
    visit(page, address, **query)
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Ask the class").click()
    expect(page.locator(".gi-room")).to_be_visible()
    page.wait_for_selector(".gi-plot .main-svg")
    return code_of(page)


def guess(page, number):
    field = page.get_by_role("spinbutton")
    field.fill(str(number))
    page.get_by_role("button", name="Guess", exact=True).click()
    expect(page.locator(".gi-feedback")).to_contain_text(f"Your guess: {number}.")


def bars(page):
    """Iteration -> guesses, as drawn."""
    return page.evaluate(f"Object.fromEntries({GUESSED}.x.map((x, i) => [x, {GUESSED}.y[i]]))")


def test_a_class_guesses_sees_it_live_and_the_answer_by_itself(visitor, address):
    teacher = visitor()
    student = visitor(viewport=PHONE, has_touch=True, is_mobile=True)
    code = ask_the_class(teacher, address, width="64", depth="60")
    shown = teacher.locator(".gi-room strong")
    expect(shown).to_have_text(code)
    assert shown.evaluate("node => parseFloat(getComputedStyle(node).fontSize)") >= 80
    ends_above(900, teacher.get_by_role("button", name="Reveal"))

    student.goto(f"{address}/guess")
    student.get_by_label("Code of the room").fill(f"{code[:3].lower()} {code[3:].lower()}")
    student.get_by_role("button", name="Join").click()
    expect(student.get_by_text("64 × 64 weights")).to_be_visible()
    assert code_of(student) == code
    expect(student.locator(".gi-question code")).to_have_text("for i in range(60): x = a @ x")
    guess(student, 31)
    expect(student.get_by_test_id("InputInstructions")).to_be_hidden()
    expect(teacher.locator(".gi-count")).to_have_text("1 guess, at 31.")
    until(teacher, f"{GUESSED}?.x[0] === 31")
    guess(student, 40)  # changed: it counts once
    expect(teacher.locator(".gi-count")).to_have_text("1 guess, at 40.")
    until(teacher, f"{GUESSED}?.x[0] === 40")
    assert bars(teacher) == {"40": 1}

    student.reload()
    expect(student.locator(".gi-feedback")).to_contain_text("Your guess: 40.")
    teacher.reload()
    expect(teacher.get_by_role("button", name="Reveal")).to_be_visible()
    expect(student.locator(".gi-answer")).to_have_count(0)

    teacher.get_by_role("button", name="Reveal").click()
    expect(teacher.locator(".gi-answer")).to_contain_text("NaN iteration")
    expect(student.locator(".gi-answer")).to_contain_text("NaN iteration")
    expect(student.locator(".gi-feedback")).to_contain_text("You said 40, it is")
    scrolls_one_way(student, PHONE["width"])
    for page in (teacher, student):
        page.reload()
        expect(page.locator(".gi-answer")).to_contain_text("NaN iteration")

    teacher.get_by_role("link", name="Open in Explore").click()
    # Both pages have an answer: the address tells which one it is.
    expect(teacher).to_have_url(re.compile(r"/\?(?=.*width=64)(?=.*depth=60)"))
    expect(teacher.locator(".gi-numbers")).to_be_visible()
    found, problems = Experiment.from_query(query_of(teacher))
    assert problems == [] and found == Experiment(width=64, depth=60)
    assert faults(teacher) == [] and faults(student) == []


def test_going_back_leads_through_the_room_to_the_experiment_that_it_asks(page, address):
    asked = {"width": "64", "depth": "60", "activation": "relu"}
    ask_the_class(page, address, **asked)
    room = page.url
    page.get_by_role("link", name="Lesson", exact=True).click()
    expect(page.locator(".gi-step h1")).to_be_visible()
    page.go_back()
    expect(page.locator(".gi-room")).to_be_visible()
    expect(page).to_have_url(room)
    page.go_back()
    expect(page.locator(".gi-answer")).to_be_visible()
    drawn(page)
    has_query(page, asked)
    expect(page.get_by_role("slider", name="Depth")).to_have_attribute("aria-valuetext", "60")
    page.go_back()
    expect(page).to_have_url("about:blank")
    assert page.problems == []


SCREENS = ({"width": 1440, "height": 900}, {"width": 1024, "height": 768})


def test_a_projector_shows_count_question_button_and_picture_at_once(visitor, address, room):
    for k, iteration in enumerate((12, 28, 28, None)):
        rooms.guess(room, f"student {k}", iteration)
    teacher = visitor()
    cookie = {"name": "good_init_viewer", "value": TEACHER, "url": address}
    teacher.context.add_cookies([cookie])
    teacher.goto(f"{address}/guess?room={room}")
    reveal = teacher.get_by_role("button", name="Reveal")
    expect(reveal).to_be_visible()
    shared = [teacher.locator(name) for name in (".gi-question", ".gi-figure", ".gi-count")]
    for screen in SCREENS:
        teacher.set_viewport_size(screen)
        ends_above(screen["height"], *shared, reveal)
    reveal.click()
    answer = teacher.locator(".gi-answer")
    expect(answer).to_be_visible()
    again = teacher.get_by_role("button", name="Ask again")
    for screen in SCREENS:
        teacher.set_viewport_size(screen)
        ends_above(screen["height"], *shared, answer, again)
    assert faults(teacher) == []


@pytest.fixture
def room(served_rooms, monkeypatch):
    monkeypatch.setenv("GOOD_INIT_ROOMS", served_rooms)
    return rooms.open(Experiment(width=64, depth=60), TEACHER).code


def test_the_cookie_is_what_makes_a_teacher(visitor, address, room):
    student = visitor()
    student.goto(f"{address}/guess?room={room}")
    expect(student.get_by_role("spinbutton")).to_be_visible()
    expect(student.get_by_role("button", name="Reveal")).to_have_count(0)
    teacher = visitor()
    cookie = {"name": "good_init_viewer", "value": TEACHER, "url": address}
    teacher.context.add_cookies([cookie])
    teacher.goto(f"{address}/guess?room={room}")
    expect(teacher.get_by_role("button", name="Reveal")).to_be_visible()


def test_a_page_that_waits_asks_seldom_and_survives_a_server_that_fails(page, address, room):
    fails = {"now": True}

    def answer(route):
        if fails["now"]:
            route.fulfill(status=503, body="{}")
        else:
            route.continue_()

    page.route("**/rooms/*.json", answer)
    page.goto(f"{address}/guess?room={room}")
    expect(page.get_by_role("spinbutton")).to_be_visible()
    asked_at = """performance.getEntriesByType('resource')
        .filter(({ name }) => name.includes('/rooms/')).map(({ startTime }) => startTime)"""
    until(page, f"{asked_at}.length >= 2")
    first, second = page.evaluate(asked_at)[:2]
    assert second - first > 0.7 * 4000  # ms: twice the usual two seconds, a quarter less perhaps
    expect(page.locator(".gi-problems")).to_have_count(0)
    fails["now"] = False
    rooms.reveal(room, TEACHER)
    expect(page.locator(".gi-answer")).to_be_visible()


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(visitor, address, room, view):
    for k, iteration in enumerate((12, 28, 28, 31, None)):
        rooms.guess(room, f"student {k}", iteration)
    teacher, student = (visitor(**VIEWS[view]) for _ in range(2))
    cookie = {"name": "good_init_viewer", "value": TEACHER, "url": address}
    teacher.context.add_cookies([cookie])
    for page in (teacher, student):
        page.goto(f"{address}/guess?room={room}")
    expect(student.get_by_role("spinbutton")).to_be_visible()
    guess(student, 30)
    expect(teacher.locator(".gi-count")).to_contain_text("6 guesses")
    teacher.wait_for_selector(".gi-plot .main-svg")
    nothing_found(teacher)
    nothing_found(student)
    teacher.get_by_role("button", name="Reveal").click()
    for page in (teacher, student):
        expect(page.locator(".gi-answer")).to_be_visible()
        page.wait_for_selector(".gi-plot .main-svg")
        nothing_found(page)
