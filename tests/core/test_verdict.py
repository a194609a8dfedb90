import pytest

from core import Experiment, propagate
from core.verdict import judge, ordinal, significant

LESSON = Experiment()


def verdict(**changes):
    return judge(propagate(LESSON.replace(**changes)))


@pytest.mark.parametrize(
    "changes, kind",
    [
        ({}, "explodes"),
        ({"number_format": "float16"}, "explodes"),
        ({"scale": 0.01}, "vanishes"),
        ({"scale": 0.0}, "vanishes"),
        ({"scale": 0.1}, "grows"),
        ({"init": "xavier_normal"}, "holds"),
        ({"init": "orthogonal"}, "holds"),
        ({"init": "identity"}, "holds"),
        ({"init": "xavier_normal", "activation": "relu", "weights": "fresh"}, "shrinks"),
        ({"init": "kaiming_normal", "activation": "relu", "weights": "fresh"}, "holds"),
        ({"number_format": "float8_e4m3fn"}, "saturates"),
        ({"width": 1, "activation": "relu", "seed": 3, "weights": "fresh"}, "dies"),
    ],
)
def test_each_kind_of_run_gets_its_word(changes, kind):
    assert verdict(**changes).kind == kind


def test_the_lesson_is_told_with_its_numbers():
    lesson = verdict()
    assert lesson.sentence == (
        "Each product multiplies the std by about 22.3 (weight std × √n = 22.6). "
        "float32 ends at 3.4e38, so after 28 products there is no room left."
    )
    assert (lesson.iteration, lesson.iteration_label) == ("28", "NaN iteration")
    assert lesson.iteration_detail == "i = 28, the 29th product"
    (note,) = lesson.notes
    assert note.startswith("At i = 27 torch's x.mean() is already NaN and so is x.std()")


def test_inf_before_nan_is_called_inf():
    half = verdict(number_format="float16")
    assert (half.iteration, half.iteration_label) == ("3", "First Inf")
    assert half.iteration_detail == "i = 3, the 4th product; NaN at i = 4"


def test_an_infinite_std_of_finite_elements_is_explained():
    notes = verdict(number_format="float64", depth=240).notes
    assert any("x.std() is Inf although every element is still finite" in note for note in notes)


def test_one_number_is_spoken_of_as_a_number():
    alone = verdict(width=1)
    assert "|x|" in alone.sentence and "std" not in alone.sentence.split("(")[0]
    assert "0/0" in alone.notes[0]


def test_a_run_that_holds_says_where_it_started_and_ended():
    held = verdict(init="orthogonal")
    assert held.sentence.startswith("After 100 products the std is 0.9")
    assert held.iteration == "none"
    assert held.growth == pytest.approx(1, abs=1e-3)


def test_every_run_gets_a_verdict():
    for seed in range(6):
        for init in ("normal", "zeros", "identity", "kaiming_uniform"):
            for scale in (0.0, 1e-6, 0.3, 1e6):
                for width, depth in ((1, 1), (2, 5), (9, 60)):
                    found = verdict(init=init, scale=scale, width=width, depth=depth, seed=seed)
                    assert found.sentence.endswith(".") and "nan" not in found.sentence


def test_ordinals_and_digits_are_written_as_a_person_would():
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 29, 102, 111)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "29th", "102nd", "111th"]
    )
    assert [significant(v) for v in (3.4028e38, 1.4e-45, 22.36, 1.17549435e-38, 5e-9)] == (
        ["3.4e38", "1.4e-45", "22.4", "1.18e-38", "5e-9"]
    )
