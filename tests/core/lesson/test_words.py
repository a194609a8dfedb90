"""What the lesson says: about a guess, in short, in plain words, with one minus sign."""

import math
import re

import pytest

from core.lesson import GLOSSARY, STEPS, Guess, Result, Setting, feedback
from core.reading.number import Number, exact_text, lesson_text, measured_text
from core.text import unbroken, with_minus

SIZES = {"lesson": (512, 100), "small": (64, 20), "least": (2, 1)}
NUMBER = Guess("?", "number", judged="difference", tolerance=2, whole="The loop index i")
RATIO = Guess("?", "number", judged="ratio", tolerance=2)
CHOICE = Guess("?", "choice", options=("True", "False"))


@pytest.fixture(scope="module", params=SIZES)
def results(request):
    n, depth = SIZES[request.param]
    return {
        slug: step.measure(step.setting(n, depth, 0, min(200, step.most_repetitions)))
        for slug, step in STEPS.items()
    }


def answered(right, n=64, depth=20):
    return Result(Setting(n=n, depth=depth), (), (), right, {})


@pytest.mark.parametrize(
    ("guess", "made", "right", "words"),
    [
        (NUMBER, 27.0, 27.0, "Right. It is 27."),
        (NUMBER, 28.0, 27.0, "Close enough: you said 28, it is 27."),
        (NUMBER, 31.0, 27.0, "Not quite. You said 31, it is 27: 4 off."),
        (NUMBER, 5.0, math.inf, "Not quite. You said 5, but at this size it never happens."),
        (RATIO, 22.6, 22.627, "Right. It is 22.6."),
        (RATIO, 30.0, 22.627, "Close enough: you said 30, it is 22.6."),
        (RATIO, 100.0, 20.0, "Not quite. You said 100, it is 20: a factor of 5 off."),
        (CHOICE, "True", "True", "Right. It is: True."),
        (CHOICE, "True", "False", "Not quite. You said: True. It is: False."),
    ],
)
def test_a_guess_is_told_whether_it_is_right_or_close_or_how_far_off(guess, made, right, words):
    said = feedback(guess, made, (64, 20), answered(right))
    assert f"{said.verdict} {said.words}" == words
    assert said.kind == ("far" if words.startswith("Not") else "good")


def test_a_guess_about_another_size_is_not_judged():
    said = feedback(CHOICE, "True", (64, 100), answered("False"))
    assert said.kind == "open"
    assert said.words == "You said “True” for n = 64 and 100 products. Here it is: False."
    never = feedback(NUMBER, 27.0, (512, 100), answered(math.inf))
    assert never.words == "You said 27 for n = 512 and 100 products. Here it is: never."


def test_a_loop_index_is_a_whole_number_and_other_guesses_need_not_be():
    assert NUMBER.problem(12.7) == "The loop index i is a whole number: 12.7 is not one."
    assert NUMBER.problem(12.0) == RATIO.problem(12.7) == CHOICE.problem("True") == ""
    assert STEPS["first-nan"].guess.problem(12.7)


def test_each_answer_begins_openly_and_is_said_in_one_sentence(results):
    for result in results.values():
        assert not result.answer[0].fold
        assert 20 < len(result.in_short) <= 200 and result.in_short.endswith(".")


def test_what_is_beyond_a_first_year_student_is_folded_away(results):
    sentences = [s for result in results.values() for s in result.answer]
    for hard in ("LSUV", r"H^{", r"\chi^2", r"2^{-23}", "first subdiagonal"):
        assert all(s.fold for s in sentences if hard in s.text + s.formula), hard
    assert any("LSUV" in sentence.text for sentence in sentences)


def spoken(result):
    """All that the page says of a result, but for code."""
    texts = [part for s in result.answer for part in (s.text, s.fold)] + [result.in_short]
    for number in result.numbers:
        texts += [number.label, measured_text(number), exact_text(number), lesson_text(number)]
    texts += [counts.label for counts in result.counts]
    texts += [mark for counts in result.counts for mark in counts.marks]
    return [re.sub("`.*?`", "", text) for text in texts]


def test_the_notebook_is_never_called_the_lesson_and_minus_is_one_sign(results):
    asked = [f"{s.title} {s.question} {s.guess.prompt}" for s in STEPS.values()]
    for text in [*asked, *(text for result in results.values() for text in spoken(result))]:
        assert "lesson" not in text.lower(), text
        assert not re.search(r"(?<![\w)])-[\d.]|e-\d", text), text
        assert "×÷" not in text


def test_the_words_of_every_step_are_explained():
    for term in ("N(0, 1)", "std", "rms", "second moment"):
        assert term in GLOSSARY
    assert any("fresh" in term for term in GLOSSARY)


def number(**parts):
    return Number(**{"label": "", "measured": 0.0, **parts})


@pytest.mark.parametrize(
    ("parts", "here", "exact", "lesson"),
    [
        # A single draw: its spread stands beside what is typical.
        (
            {"measured": 1.2071, "standard_error": 0.957, "exact": 0.0, "lesson": -1.8616}
            | {"single": True},
            "1.21",
            "0 ± 0.96",
            "−1.86",
        ),
        (
            {"measured": 2.1e36, "standard_error": 3.276, "exact": 2.781e35, "lesson": 2.179e36}
            | {"factor": True, "single": True},
            "2.1e36",
            "2.8e35 (0.85e35 to 9.1e35)",
            "2.2e36",
        ),
        # An average: its own error.
        (
            {"measured": 27.812, "standard_error": 0.017, "exact": 27.8019, "lesson": 28.0},
            "27.812 ± 0.017",
            "27.802",
            "28",
        ),
        (
            {"measured": 3.2, "standard_error": 1.196, "exact": 3.22447, "factor": True},
            "3.2 (2.68 to 3.83)",
            "3.224",
            "",
        ),
        ({"measured": 3.16633e-30}, "3.17e−30", "", ""),
        ({"measured": 0.0605469}, "0.0605", "", ""),
        (
            {"measured": 510.8, "standard_error": 4.6, "exact": 512.0, "lesson": 5117677.0},
            "510.8 ± 4.6",
            "512",
            "5,117,677",
        ),
        ({"measured": math.nan, "exact": math.nan, "lesson": math.nan}, "NaN", "NaN", "NaN"),
        ({"measured": 1.0, "exact": 0.0, "boolean": True}, "True", "False", ""),
        ({"measured": math.inf, "standard_error": 2.0, "factor": True}, "inf", "", ""),
    ],
)
def test_a_number_has_the_digits_that_mean_something(parts, here, exact, lesson):
    row = number(**parts)
    assert (measured_text(row), exact_text(row), lesson_text(row)) == (here, exact, lesson)


def test_a_minus_sign_stands_before_numbers_and_nowhere_else():
    said = with_minus("-0.2147, 3.2e-30 and -inf; steps 1-3, x-1, std (-2)")
    assert said == "−0.2147, 3.2e−30 and −inf; steps 1-3, x-1, std (−2)"


def test_no_line_ends_inside_a_quantity():
    said = unbroken("At i = 28 (60 %) and 27 ± 0 in step 3; x = a @ x, n = 512.")
    assert said == "At i\xa0=\xa028 (60\xa0%) and 27 ±\xa00 in step\xa03; x = a @ x, n\xa0=\xa0512."
