import math

import pytest
import torch

from core import NUMBER_FORMATS
from core.layer.number_formats import FORMAT_FAMILIES
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
BFLOAT16, FLOAT16 = BOOK["bfloat16"], BOOK["float16"]
BOOK |= {
    "float8_e4m3fn_nan": BOOK["float8_e4m3fn"],
    "float32_flushed": (*BOOK["float32"][:2], 2.0**-126),
    "bfloat16_flushed": (*BFLOAT16[:2], 2.0**-126),
    "float16_flushed": (*FLOAT16[:2], 2.0**-14),
    "float16_float16_sums": FLOAT16,
    "mxfp8_e4m3": BFLOAT16,
    "mxfp8_e5m2": BFLOAT16,
    "mxfp4_e2m1": BFLOAT16,
    "nvfp4": BFLOAT16,
}
BEYOND = {"Inf": math.inf, "NaN": math.nan}


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
def test_beyond_the_largest_is_infinity_nan_or_saturation(name):
    entry = NUMBER_FORMATS[name]
    beyond = entry.cast(torch.tensor([2 * entry.max, -2 * entry.max], dtype=torch.float64)).double()
    expected = BEYOND.get(entry.beyond, entry.max)
    assert beyond.tolist() == pytest.approx([expected, -expected], nan_ok=True, rel=0)
    assert entry.infinity == (expected == math.inf) and entry.saturates == (expected == entry.max)


@pytest.mark.parametrize("name", NUMBER_FORMATS)
def test_the_convention_beyond_the_largest_is_named_and_is_the_one_of_the_cast(name):
    entry = NUMBER_FORMATS[name]
    words, end = entry.beyond_max, significant(entry.max)
    assert words.startswith(f"A number that rounds beyond {end} becomes ")
    beyond = entry.cast(torch.tensor([1e300, math.inf], dtype=torch.float64)).double()
    if entry.infinity:
        assert words.endswith("becomes Inf.") and beyond[1] == math.inf
    elif entry.saturates:
        assert f"becomes {end}, in the saturating conversion of OFP8" in words
        assert "in the other one, float8_e4m3fn_nan, it becomes NaN" in words
        assert beyond.tolist() == [entry.max, entry.max]
    else:
        assert "becomes NaN, in the non-saturating conversion of OFP8" in words
        assert f"in the other one, float8_e4m3fn, it becomes {end}" in words
        assert beyond.isnan().all()


@pytest.mark.parametrize("name", [name for name in NUMBER_FORMATS if name != "float64"])
def test_numbers_overflow_from_half_an_ulp_beyond_the_largest(name):
    entry = NUMBER_FORMATS[name]
    end = torch.tensor(entry.overflows_from, dtype=torch.float64)
    # The end is known to a relative epsilon²/8, and a tie may go either way.
    within, beyond = end * (1 - entry.epsilon**2 / 4), end * (1 + entry.epsilon**2 / 4)
    assert entry.cast(within) == entry.max
    if not entry.saturates:
        assert not entry.cast(beyond).double().isfinite()
    assert 2 ** (entry.log2_overflows_from - math.log2(entry.max)) == pytest.approx(
        entry.overflows_from / entry.max, rel=entry.epsilon**2 / 4
    )


@pytest.mark.parametrize("name", [name for name in NUMBER_FORMATS if name != "float64"])
def test_numbers_round_to_zero_up_to_the_size_that_is_said(name):
    entry = NUMBER_FORMATS[name]
    edge = torch.tensor(entry.rounds_to_zero_below, dtype=torch.float64)
    near = 2.0**-12  # torch rounds float64 to float32 first, whose subnormals are as coarse
    assert entry.cast(edge * (1 - near)) == 0 and entry.cast(edge * (1 + near)) != 0
    # A logarithm near −150 has an error of half a unit of 2⁻⁴⁵.
    log2 = pytest.approx(entry.rounds_to_zero_below, rel=2.0**-45)
    assert 2**entry.log2_rounds_to_zero_below == log2


def test_every_format_is_in_a_family_and_every_family_has_known_formats():
    members = [name for names in FORMAT_FAMILIES.values() for name in names]
    assert set(members) == set(NUMBER_FORMATS)
    assert FORMAT_FAMILIES["plain"] == tuple(NUMBER_FORMATS)[:6]
    for name in set(NUMBER_FORMATS) - set(FORMAT_FAMILIES["plain"]):
        entry = NUMBER_FORMATS[name]
        assert entry.description.startswith(f"{name}: ") or entry.convention
