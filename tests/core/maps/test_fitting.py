"""The host's limit for maps: what is refused, in which words, and what is offered instead."""

from dataclasses import replace

import pytest

from core import Experiment
from core.host.limits import WorkLimit, WorkLimitError
from core.maps.fitting import MapTooLarge, check, work
from core.maps.landscape import Landscape
from core.sweep import parse

LESSON = Landscape(
    Experiment(),
    parse("scale=0.01..10:48"),
    parse("width=16..2048:48"),
    "first_nonfinite",
    16,
    real=True,
)
USUAL = WorkLimit(2**31, 4e11)


def refused(landscape, limit=USUAL):
    with pytest.raises(MapTooLarge) as caught:
        check(landscape, limit)
    return caught.value


def test_the_lessons_map_for_real_is_too_much_and_a_smaller_one_is_offered():
    error = refused(LESSON)
    assert str(error) == "Too much to measure: about 3 times the limit. Try 24 cells a side."
    assert isinstance(error, WorkLimitError)
    assert error.fitting == LESSON.replace(
        x=parse("scale=0.01..10:24"), y=parse("width=16..2048:24")
    )
    check(error.fitting, USUAL)
    check(LESSON.replace(real=False), USUAL)


@pytest.mark.parametrize("multiply_adds", [4e11, 1e11, 3e10, 1e10, 3e9])
@pytest.mark.parametrize(
    "y", ["width=16..2048:48", "number_format=float32,float16", "depth=100,200"]
)
def test_what_is_offered_always_fits_and_has_the_same_ends(multiply_adds, y):
    limit = WorkLimit(2**31, multiply_adds)
    asked = LESSON.replace(y=parse(y), base=Experiment(width=1024, weights="fresh"))
    fitting = refused(asked, limit).fitting
    if fitting is None:
        few = asked.with_cells(12).replace(networks=1)
        with pytest.raises(MapTooLarge):
            check(few, limit)
        return
    check(fitting, limit)
    assert [axis.values[0] for axis in (fitting.x, fitting.y)] == [
        asked.x.values[0],
        asked.y.values[0],
    ]
    assert replace(fitting, x=asked.x, y=asked.y, networks=16) == asked


def test_where_nothing_smaller_fits_it_is_said_what_to_lower():
    heavy = LESSON.replace(base=Experiment(width=16384, depth=2000), y=parse("seed=1,2"))
    error = refused(heavy)
    assert error.fitting is None
    assert str(error).endswith("limit. Lower width or depth, or do not measure it for real.")


@pytest.mark.parametrize(
    "share, told", [(0.8, "1.2 times"), (0.1, "about 10 times"), (1e-7, "about 1e7 times")]
)
def test_how_much_too_much_it_is(share, told):
    few = LESSON.replace(x=parse("scale=1,2"), y=parse("width=16,32"), networks=1)
    limit = WorkLimit(2**31, work(few) * share)
    assert f": {told} the limit" in str(refused(few, limit))
    check(few, WorkLimit(2**31, work(few)))
