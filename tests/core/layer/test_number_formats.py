import math

import pytest
import torch

from core import NUMBER_FORMATS
from core.text import significant

# Exponent range and significand bits from the defining documents.
BOOK = {
    "float64": (2.0**1023 * (2 - 2.0**-52), 2.0**-1022, 2.0**-1074),
    "float32": (2.0**127 * (2 - 2.0**-23), 2.0**-126, 2.0**-149),
    "bfloat16": (2.0**127 * (2 - 2.0**-7), 2.0**-126, 2.0**-133),
    "float16": (65504.0, 2.0**-14, 2.0**-24),
    "float8_e5m2": (57344.0, 2.0**-14, 2.0**-16),
    "float8_e4m3fn": (448.0, 2.0**-6, 2.0**-9),
}


@pytest.mark.parametrize("name", NUMBER_FORMATS)
def test_limits_are_those_of_the_book(name):
    entry = NUMBER_FORMATS[name]
    assert (entry.max, entry.smallest_normal, entry.smallest_subnormal) == BOOK[name]
    assert entry.name == name and entry.reference


@pytest.mark.parametrize("name", NUMBER_FORMATS)
def test_limits_survive_the_cast_and_half_the_smallest_does_not(name):
    entry = NUMBER_FORMATS[name]
    values = torch.tensor(
        [entry.max, entry.smallest_normal, entry.smallest_subnormal], dtype=torch.float64
    )
    assert torch.equal(entry.cast(values).double(), values)
    assert entry.cast(torch.tensor(entry.smallest_subnormal / 2.5, dtype=torch.float64)) == 0


@pytest.mark.parametrize("name", [name for name in NUMBER_FORMATS if name != "float64"])
def test_beyond_the_largest_is_infinity_or_saturation(name):
    entry = NUMBER_FORMATS[name]
    beyond = entry.cast(torch.tensor([2 * entry.max, -2 * entry.max], dtype=torch.float64)).double()
    expected = entry.max if entry.saturates else math.inf
    assert beyond.tolist() == [expected, -expected]


@pytest.mark.parametrize("name", NUMBER_FORMATS)
def test_the_convention_beyond_the_largest_is_named_and_is_the_one_of_the_cast(name):
    entry = NUMBER_FORMATS[name]
    words, end = entry.beyond_max, significant(entry.max)
    assert words.startswith(f"A number beyond {end} becomes ")
    beyond = entry.cast(torch.tensor([1e300, math.inf], dtype=torch.float64)).double()
    if not entry.saturates:
        assert words.endswith("becomes Inf.") and beyond[1] == math.inf
    else:
        assert f"becomes {end}, as torch rounds it" in words and "it would be NaN" in words
        assert beyond.tolist() == [entry.max, entry.max]
