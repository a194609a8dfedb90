"""The lesson page: every step walked, guesses right and wrong, links good and bad."""

import pytest

from core.lesson import STEPS
from core.reading.number import measured_text
from tests.pages.test_explore import blocks, problems, visited, words

SMALL = {"width": "64", "depth": "50"}  # quick, and enough to become NaN


def opened(**query):
    return visited("pages/lesson.py", query)


def heading(at):
    [block] = blocks(at, "gi-step")
    return words(block)


def table(at):
    [block] = blocks(at, "gi-table")
    return words(block)


def feedback(at):
    bodies = [part.proto.body for part in at.get("html")]
    found = [body for body in bodies if body.startswith('<p class="gi-feedback')]
    return words(found[0]) if found else ""


def guess(at, step, made):
    """Type or choose a guess and send it."""
    if step.guess.kind == "choice":
        at.radio(key=f"guess_{step.slug}").set_value(made)
    else:
        at.number_input(key=f"guess_{step.slug}").set_value(made)
    [check] = [button for button in at.button if button.label == "Check my guess"]
    check.click().run()
    assert not at.exception


def press(at, key):
    at.button(key=key).click().run()
    assert not at.exception


def result_of(step, **size):
    return step.measure(step.setting(n=64, depth=50, seed=0, **size))


def wrong_guess(step, right):
    if step.guess.kind == "choice":
        return next(option for option in step.guess.options if option != right)
    return float(right) * 1000 + 1000


def test_a_student_walks_through_all_steps_and_each_answer_is_the_cores_own():
    at = opened(**SMALL)
    for step in STEPS.values():
        assert heading(at) == f"Step {step.number} of {len(STEPS)} {step.title}"
        assert not blocks(at, "gi-table"), "no answer before the guess"
        result = result_of(step)
        guess(at, step, result.right)
        assert feedback(at).startswith("Right.")
        for number in result.numbers:
            assert measured_text(number) in table(at)
        text = " ".join(markdown.value for markdown in at.markdown)
        for sentence in result.answer:
            assert sentence.formula in text
        assert at.code[0].value == step.snippet(result.setting).strip()
        assert [link.proto.label for link in at.get("page_link")] == ["Open this in Explore"]
        if step.number < len(STEPS):
            press(at, "next")
    assert at.button(key="next").disabled
    done = [part.proto.body for part in at.get("html") if "gi-done" in part.proto.body]
    assert words(done[0]) == "12 of 12 steps done"


@pytest.mark.parametrize("slug", STEPS)
def test_a_wrong_guess_is_told_how_far_off_it_was(slug):
    step = STEPS[slug]
    at = opened(**SMALL, step=slug)
    right = result_of(step).right
    guess(at, step, wrong_guess(step, right))
    assert feedback(at).startswith("Not quite. You said")
    if step.guess.kind == "choice":
        assert feedback(at).endswith(f"It is: {right}.")
    else:
        assert feedback(at).endswith(" off.")


def test_what_never_happens_at_this_size_is_said():
    at = opened(width="64", depth="9", step="first-nan")
    guess(at, STEPS["first-nan"], 5)
    assert feedback(at) == "Not quite. You said 5, but at this size it never happens."


def test_without_a_guess_nothing_is_revealed_until_asked():
    at = opened(**SMALL)
    [check] = [button for button in at.button if button.label == "Check my guess"]
    check.click().run()
    assert any("Make a guess first" in part.proto.body for part in at.get("html"))
    assert not blocks(at, "gi-table")
    [reveal] = [button for button in at.button if button.label == "Show the answer"]
    reveal.click().run()
    assert blocks(at, "gi-table") and feedback(at) == ""


def test_a_link_opens_the_step_with_what_is_done_at_the_students_size():
    at = opened(**SMALL, step="redraw", done="1-3,8", seed="5", repetitions="20")
    assert heading(at).startswith("Step 8 of 12")
    step = STEPS["redraw"]
    result = step.measure(step.setting(n=64, depth=50, seed=5, repetitions=20))
    assert all(measured_text(number) in table(at) for number in result.numbers)
    assert problems(at) == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"step": "<b>"}, "step must be one of products, first-nan"),
        ({"done": "0-3"}, "done must be steps such as 1-3,5, got '0-3': none is used"),
        ({"done": "1,,2"}, "done must be steps"),
        ({"done": "1" * 500}, "done must be steps"),
        ({"teach": "1"}, "teach must be true or false, got '1': false is used"),
        ({"repetitions": "1e3", "step": "redraw"}, "repetitions must be a whole number from 2 to"),
        ({"repetitions": "9" * 400, "step": "redraw"}, "repetitions must be a whole number from 2"),
        (
            {"repetitions": "0" * 9 + "1" + "0" * 11, "step": "redraw"},
            "repetitions must be a whole",
        ),
        ({"colour": "red"}, "colour"),
        ({"width": "wide"}, "width must be"),
    ],
)
def test_a_bad_part_of_a_link_is_named_and_the_rest_stays(query, message):
    at = opened(**{**SMALL, **query})
    assert any(told.startswith(message) or message in told for told in problems(at))
    assert "<b>" not in " ".join(problems(at)) or "&lt;" not in heading(at)
    assert heading(at)


@pytest.mark.parametrize(("name", "text"), [("width", "2048"), ("depth", "1500"), ("width", "1")])
def test_a_size_that_the_lesson_has_not_is_named(name, text):
    at = opened(**{**SMALL, name: text}, done="1")
    field = "n" if name == "width" else name
    assert any(told.startswith(f"{field} must be a whole number from") for told in problems(at))
    assert not blocks(at, "gi-table")


def test_what_the_host_refuses_is_said_and_the_page_stays(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e6")
    at = opened(width="63", depth="49", step="magic-number", done="6")
    [told] = problems(at)
    assert "multiply-adds" in told and told.endswith("lower width, depth or how many networks")
    assert at.button(key="next") and not at.get("progress")


def test_the_projector_shows_the_question_and_then_the_picture():
    at = opened(**SMALL, teach="true", step="first-nan")
    assert heading(at).startswith("Step 2") and not at.get("bidi_component")[:-1]
    assert not at.select_slider
    asked = STEPS["first-nan"].guess.prompt
    assert [asked in markdown.value for markdown in at.markdown] == [False, True]
    press(at, "reveal")
    assert not any(asked in markdown.value for markdown in at.markdown)
    assert len(at.get("bidi_component")) == 2  # the picture and the address
    press(at, "next")
    assert heading(at).startswith("Step 3")
    press(at, "teach")
    assert at.select_slider


def test_the_challenge_is_checked_by_a_real_run():
    at = opened(**SMALL, step="whole-network", done="12")

    def attempt(activation, scale):
        at.selectbox(key="challenge_activation").set_value(activation)
        at.text_input(key="challenge_scale").set_value(scale)
        [button] = [button for button in at.button if button.label == "Try it"]
        button.click().run()
        assert not at.exception

    attempt("relu", "1/√n")
    assert "does not hold" in at.warning[0].value and "too small" in at.warning[0].value
    attempt("relu", "√(2/n)")
    assert at.success[0].value.startswith("It holds: after 200 products with relu")
    attempt("relu", "much")
    assert any(told.startswith("scale must be") for told in problems(at))
