"""Formulas in links and on command lines: what is read, and that nothing else ever is."""

import math
import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import Experiment
from core.question.formula import LONGEST, value_of

READ = {
    "5/3": 5 / 3,
    "sqrt(2)": math.sqrt(2),
    "2**-0.5": 2**-0.5,
    "1/sqrt(512)": 1 / math.sqrt(512),
    "0,05": 0.05,
    ",5": 0.5,
    "1,5e-3": 1.5e-3,
    " ( 1 + 2 ) * 3 ": 9.0,
    "-2--3": 1.0,
    "+4": 4.0,
    "2^0.5": math.sqrt(2),
    "√2": math.sqrt(2),
    "√(2)/3": math.sqrt(2) / 3,
    "2×3−1": 5.0,
    "pi": math.pi,
    "e**2": math.e**2,
    "1e-3*2": 2e-3,
    "sqrt(sqrt(16))": 2.0,
}

HOSTILE = [
    "__import__",
    "__import__('os')",
    "os.system",
    "().__class__",
    "9**9**9",
    "9**9**9**9**9**9**9**9",
    "2**2000",
    "10.0**400",
    "1/0",
    "0**-1",
    "(-8)**0.5",
    "sqrt(-1)",
    "sqrt",
    "sqrt()",
    "sqrt(1,2)",
    "sqrt(*1)",
    "sqrt(n=1)",
    "e(1)",
    "2(3)",
    "1e999",
    "1/1e999",
    "1e999-1e999",
    "nan",
    "inf",
    "n",
    "1 if 1 else 2",
    "1if 2 else 3",
    "0x10",
    "1_000",
    "1j",
    "True",
    "...",
    "()",
    "1,2,3",
    "[1]",
    "'1'",
    "lambda: 1",
    "x:=1",
    "1;2",
    "1\n2",
    "\x00",
    "٣",
    "１",
    "²",
    "𝟓",
    "ｎ",
    "1..e",
    "5//3",
    "5%3",
    "1<2",
    "~1",
    "1&1",
    "",
    " ",
    "(" * 30 + "1" + ")" * 30,
    "-" * 59 + "1",
    "1" + "+1" * 29,
    "1" * 60 + "!",
    "(" * 60,
    "1+" * 40 + "1",
    "e" * 61,
]


@pytest.mark.parametrize("text", READ)
def test_a_formula_is_the_number_that_it_says(text):
    assert value_of(text) == READ[text]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_else_is_read(text):
    assert value_of(text) is None
    experiment, problems = Experiment.from_query({"bias_std": text})
    assert experiment == Experiment() or text == "n"
    assert problems or text == "n"


def test_n_is_the_width_where_the_caller_says_so():
    assert value_of("1/sqrt(n)", {"n": 16}) == 0.25 and value_of("2n", {"n": 16}) is None
    for text, scale in (("2/n", 1 / 32), ("1/√(4*n)", 1 / 16), ("n**-0.5", 1 / 8)):
        assert Experiment.from_query({"scale": text, "width": "64"})[0].scale == scale
    assert Experiment.from_query({"width": "2**6"})[1]  # only real fields read formulas


def test_a_comma_that_may_have_meant_thousands_is_told():
    assert Experiment.from_query({"scale": "1,000"}) == (
        Experiment(scale=1.0),
        ["scale '1,000' is read as 1.000"],
    )
    for text in ("0,050", "1,5", "1,0000"):
        assert Experiment.from_query({"scale": text})[1] == []


def test_a_formula_beyond_the_bounds_is_refused_as_a_number_is():
    _, (problem,) = Experiment.from_query({"scale": "10**7"})
    assert problem == "scale must be a number from 0 to 1000000, got '10**7': 1 is used"


@settings(max_examples=2000, deadline=None)
@given(st.text("0123456789.,eEnpisqrt+-*/()^√π ", max_size=LONGEST + 2))
def test_any_text_is_read_quickly_and_without_a_word(text):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = value_of(text, {"n": 8})
    assert found is None or math.isfinite(found)
    assert time.perf_counter() - start < 1  # a power of integers of this length could take years
