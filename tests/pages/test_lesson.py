"""The lesson page: every step walked, guesses right and wrong, links good and bad."""

import re

import pytest

from core import Experiment
from core.lesson import SIZES, STEPS
from core.lesson.words import answer_text
from core.reading.number import measured_text
from tests.pages.test_explore import blocks, problems, visited, words

ALWAYS_FOLDED = ("What the words mean", "The same in PyTorch")
SMALL = {"width": "64", "depth": "50"}  # quick, and enough to become NaN


def opened(**query):
    return visited("pages/lesson.py", query)


def plain(markdown):
    """The text of Markdown, without its escapes and no-break spaces."""
    return markdown.replace("\\", "").replace("\xa0", " ")


def parts(at, tag, css_class):
    """The page's own HTML that begins with such a tag, as it is sent."""
    bodies = [part.proto.body for part in at.get("html")]
    return [body for body in bodies if body.startswith(f'<{tag} class="{css_class}')]


def charts(at):
    components = [each.proto.component_name for each in at.get("bidi_component")]
    return [name for name in components if name.endswith("chart")]


def marked(at):
    """The options on the projector, and the one that is marked as right."""
    [block] = parts(at, "ul", "gi-options")
    items = re.findall("<li(.*?)>(.*?)</li>", block)
    right = [words(text).removeprefix("✓ ") for style, text in items if "gi-right" in style]
    return [words(text).removeprefix("✓ ") for _, text in items], right


def heading(at):
    [block] = blocks(at, "gi-step")
    return words(block)


def table(at):
    [block] = blocks(at, "gi-table")
    return words(block)


def feedback(at):
    found = parts(at, "p", "gi-feedback")
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
        place = ", for those who want more" if step.more else " of 13"
        assert heading(at) == f"Step {step.number}{place} {step.at(50).title}"
        assert not blocks(at, "gi-table"), "no answer before the guess"
        result = result_of(step)
        guess(at, step, result.right)
        assert feedback(at).startswith("Right.")
        for number in result.numbers:
            assert measured_text(number) in table(at)
        text = " ".join(markdown.value for markdown in at.markdown)
        for sentence in result.answer:
            parts = sentence.formula.split(r"\qquad\allowbreak") if sentence.formula else []
            for part in parts:
                assert f"{{{part.strip()}}}" in text, "no line ends within braces"
        folded = [e.label for e in at.expander if e.label not in ALWAYS_FOLDED]
        assert folded == [*dict.fromkeys(s.fold for s in result.answer if s.fold)]
        assert at.code[0].value == step.snippet(result.setting).strip()
        links = [link.proto.label for link in at.get("page_link")]
        assert [label for label in links if label.startswith("Open")] == ["Open this in Explore"]
        if step.number < len(STEPS):
            press(at, "next")
    assert at.button(key="next").disabled
    done = [part.proto.body for part in at.get("html") if "gi-done" in part.proto.body]
    assert words(done[0]) == "13 of 13 steps done, and 3 of 3 more"


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


def test_a_guess_that_is_near_is_called_close_and_not_right():
    at = opened(**SMALL, step="first-nan")
    step = STEPS["first-nan"]
    right = result_of(step).right
    guess(at, step, right + 1)
    assert feedback(at) == f"Close enough: you said {right + 1:g}, it is {right:g}."


def test_a_loop_index_that_is_not_whole_is_refused_and_nothing_is_revealed():
    at = opened(**SMALL, step="first-nan")
    guess(at, STEPS["first-nan"], 12.7)
    [hint] = parts(at, "p", "gi-hint")
    assert words(hint) == "The loop index i is a whole number: 12.7 is not one."
    assert not blocks(at, "gi-table")
    guess(at, STEPS["first-nan"], 12.0)
    assert blocks(at, "gi-table")


def test_the_question_names_the_depth_and_a_guess_is_judged_at_the_depth_it_was_asked_at():
    at = opened(width="64", depth="50")
    assert heading(at).endswith("50 products")
    guess(at, STEPS["products"], "NaN")
    assert feedback(at) == "Right. It is: NaN."
    at.select_slider(key="depth").set_value(20).run()
    assert heading(at).endswith("20 products")
    assert "after 20 products?" in plain(at.markdown[0].value)
    assert feedback(at).startswith("Another size. You said “NaN” for n = 64 and 50 products.")
    assert feedback(at).endswith("Here it is: huge numbers.")


def test_the_words_that_every_step_uses_are_explained():
    at = opened(**SMALL)
    [block] = parts(at, "dl", "gi-glossary")
    assert "second moment The mean of the squares." in words(block)


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
    assert heading(at).startswith("Step 8 of 13")
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
def test_a_size_that_the_lesson_has_not_is_named_and_another_is_used(name, text):
    at = opened(**{**SMALL, name: text}, done="1")
    [told] = problems(at)
    assert told.startswith(f"{name} must be {SIZES[name].allowed} in the lesson, got {text}: ")
    default = Experiment().to_query()[name]
    assert str(at.select_slider(key=name).value) == default
    assert at.query_params.get(name, default) == default, "the address is corrected too"
    assert blocks(at, "gi-table")


def test_a_slider_of_the_lesson_offers_only_what_every_step_accepts():
    at = opened(**SMALL)
    for name, parameter in SIZES.items():
        offered = [int(text) for text in at.select_slider(key=name).options]
        assert min(offered) == parameter.minimum and max(offered) <= parameter.maximum
        assert set(parameter.stops) <= set(offered)


@pytest.mark.parametrize("view", [{}, {"teach": "true"}])
def test_a_step_whose_answer_the_host_refuses_is_not_done(monkeypatch, view):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e6")
    at = opened(width="63", depth="49", step="magic-number", done="1,6", **view)
    [told] = problems(at)
    assert "multiply-adds" in told and told.endswith("lower width, depth or how many networks")
    assert at.button(key="next") and not at.get("progress")
    if view:
        assert at.button(key="reveal").label == "Show the answer"
        return
    [done] = parts(at, "p", "gi-done")
    assert words(done) == "1 of 13 steps done"
    assert [button.label for button in at.button if button.label == "Check my guess"]
    at.select_slider(key="depth").set_value(48).run()
    assert problems(at) == [], "the refusal was of another size"


def test_the_projector_shows_the_question_and_then_the_picture():
    at = opened(**SMALL, teach="true", step="first-nan")
    assert heading(at).startswith("Step 2") and not charts(at)
    assert not at.select_slider
    step = STEPS["first-nan"].at(50)
    said = [plain(markdown.value) for markdown in at.markdown]
    assert said == [step.question, step.guess.prompt]
    press(at, "reveal")
    said = [plain(markdown.value) for markdown in at.markdown]
    result = result_of(step)
    assert said == [step.guess.prompt, result.in_short]
    assert marked(at) == ([f"{result.right:g}"], [f"{result.right:g}"])
    assert len(charts(at)) == 1
    press(at, "next")
    assert heading(at).startswith("Step 3")
    assert marked(at) == (["True", "False"], [])
    press(at, "reveal")
    assert marked(at) == (["True", "False"], ["False"])
    press(at, "teach")
    assert at.select_slider


@pytest.mark.parametrize("slug", STEPS)
def test_the_projector_tells_the_right_answer_of_every_step(slug):
    at = opened(**SMALL, teach="true", step=slug, done="1-16")
    result = result_of(STEPS[slug])
    options, right = marked(at)
    assert right == [answer_text(result.right)]
    assert options == [*(STEPS[slug].guess.options or right)]
    assert plain(at.markdown[-1].value).replace("`", "") == result.in_short.replace("`", "")


def test_a_clicker_shows_the_answer_then_the_next_step_and_the_last_step_goes_on_no_more():
    at = opened(**SMALL, teach="true", step="not-equal")

    def keys():
        return {button.key: button.proto.shortcut for button in at.button}

    assert keys() == {"previous": "left", "reveal": "right", "next": "", "teach": "f"}
    press(at, "reveal")
    assert keys() == {"previous": "left", "reveal": "", "next": "right", "teach": "f"}


def test_the_challenge_is_checked_by_a_real_run():
    at = opened(**SMALL, step="way-back", done="13")

    def attempt(activation, scale, typed=""):
        at.selectbox(key="challenge_activation").set_value(activation)
        at.text_input(key="challenge_typed").set_value(typed)
        at.text_input(key="challenge_scale").set_value(scale)
        [button] = [button for button in at.button if button.label == "Try it"]
        button.click().run()
        assert not at.exception

    attempt("relu", "1/√n")
    assert "does not hold" in at.warning[0].value and "too small" in at.warning[0].value
    attempt("relu", "√(2/n)")
    assert at.success[0].value.startswith("It holds: after 200 products with relu")
    attempt("tanh", "√(2/n)", typed="ReLU")  # another library's name for it, told by no box
    assert at.success[0].value.startswith("It holds: after 200 products with relu")
    attempt(None, "√(2/n)", typed="max(x, 0)")
    assert at.success[0].value.startswith("It holds: after 200 products with max(x,0)")
    attempt(None, "1", typed="x*foo(x)")
    assert any("'foo' is not allowed" in told for told in problems(at))
    attempt("relu", "much")
    assert any(told.startswith("scale must be") for told in problems(at))
