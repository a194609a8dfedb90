"""Every claim of a gradient's verdict, read from the sentence and checked against the numbers."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core import Experiment, backpropagate
from core.reading.gradient import both_ways
from core.reading.verdict import judge
from tests.core.experiments import LAYERS, allowed
from tests.core.reading.test_claims import DIGITS, FIELDS, NUMBER, last_half


def check_factor(back, told):
    found = re.search(rf"multiplies it by about {NUMBER}", told.sentence)
    if not found:
        return
    octaves, limit = np.log2(float(found[1])), back.run.experiment.format
    size = (back.stats.log2_rms if back.run.experiment.is_single_number else back.stats.log2_std)[
        ::-1
    ]
    stuck = back.stats.saturated > 0.25 * (1 - back.stats.zero)
    bad = (back.stats.nonfinite > 0) | stuck | (back.stats.max_abs < limit.smallest_normal)
    bad = bad[::-1] | ~np.isfinite(size)
    steps = np.diff(size[: int(np.argmax(bad)) if bad.any() else len(bad)])
    window = last_half(steps)
    noise = np.std(steps, ddof=1) / np.sqrt(len(window))
    assert abs(window.mean() - octaves) <= max(5 * noise, 0.02 * abs(octaves)) + 2 * DIGITS


def check(back):
    told, events, depth = judge(back), back.events, back.run.experiment.depth
    assert told.sentence.endswith(".") and not re.search(r"\b(nan|inf)\b", told.sentence)
    check_factor(back, told)
    ratio = re.search(rf"The gradient at the input is {NUMBER} times", told.sentence)
    if ratio:
        assert events.first_nonfinite is None and back.stats.zero[0] < 1
        octaves = back.stats.log2_rms[0] - back.stats.log2_rms[-1]
        assert np.log2(float(ratio[1])) == pytest.approx(octaves, abs=2 * DIGITS)
    room = re.search(r"at layer (\d+) there is no room left", told.sentence)
    if room:
        k = int(room[1])
        assert back.stats.nonfinite[k] > 0 and (back.stats.nonfinite[k + 1 :] == 0).all()
    zero = re.search(r"From layer (\d+) down every element of it is exactly 0", told.sentence)
    if zero:
        assert (back.stats.zero[: int(zero[1]) + 1] == 1).all()
    if "does not fit" in told.sentence:
        assert back.stats.nonfinite[depth] > 0 or back.stats.saturated[depth] > 0
    if told.kind == "dies":
        assert not back.run.final.any() and back.stats.zero[depth - 1] == 1
        assert back.run.experiment.phi.derivative(torch.zeros(1)) == 0
    broken = re.search(r"not finite at layer (\d+).* breaks at layer (\d+)\.", told.sentence)
    assert bool(broken) == (told.kind == "breaks")
    if broken:
        of_x, k = int(broken[1]), int(broken[2])
        assert back.run.stats.nonfinite[of_x] > 0 and k == events.first_nonfinite
        # Without φ the same gradient would still be far inside the range; or all of it is NaN,
        # which sums in float32 of float16's numbers cannot make by themselves.
        limit = back.run.experiment.format
        wide = limit.max < 1e30 and back.stats.nan[k] == back.stats.nonfinite[k]
        assert wide or back.stats.max_abs[k + 1] <= limit.max / 8
    held = re.search(
        r"at the output: (\d+)% of its elements other than zero are held", told.sentence
    )
    if held:
        assert told.kind == "saturates"
        share = back.stats.saturated[depth] / (1 - back.stats.zero[depth])
        assert int(held[1]) / 100 == pytest.approx(share, abs=0.006)
        return
    if told.kind in ("holds", "settles"):
        assert back.stats.saturated[depth] < 0.5
        assert back.stats.rms[0] >= 4 * back.run.experiment.format.smallest_subnormal
    lost = re.search(r"(\d+)% of its elements are 0 at the output, (\d+)% at", told.sentence)
    if lost:
        assert told.kind == "stuck" and events.first_nonfinite is None
        shares = back.stats.zero[depth], back.stats.zero[0]
        assert [int(each) / 100 for each in lost.groups()] == pytest.approx(shares, abs=0.006)
        assert back.stats.rms[0] < 4 * back.run.experiment.format.smallest_subnormal
    if "is 0 in" in told.sentence:
        assert back.stats.zero[depth] == 1
        return
    with np.errstate(invalid="ignore"):  # ∞ − ∞, of a gradient that does not fit the format
        change = back.stats.log2_rms[0] - back.stats.log2_rms[-1]
    if told.kind == "explodes":
        assert events.first_nonfinite is not None or change > 1
    if told.kind == "vanishes":
        assert back.stats.zero[0] == 1 or change < -1
    if told.kind == "holds" and not back.run.experiment.is_single_number:
        assert abs(change) <= 4.5


@settings(max_examples=300)
@given(
    st.builds(
        Experiment,
        **FIELDS,
        loss_scale=st.sampled_from([1.0, 1.0, 2.0**-24, 2.0**10, 2.0**24]),
    )
)
def test_every_claim_of_a_gradients_verdict_is_so(experiment):
    check(backpropagate(experiment))


@settings(max_examples=300)
@given(st.builds(allowed, **FIELDS, **LAYERS, loss_scale=st.sampled_from([1.0, 2.0**-24, 2.0**10])))
def test_every_claim_of_a_gradients_verdict_is_so_of_any_layer(experiment):
    check(backpropagate(experiment.replace(width=min(experiment.width, 64))))


CASES = {
    "the lesson": ({}, "explodes", "at layer 71 there is no room left"),
    "tanh at its critical gain": (
        {"activation": "tanh", "init": "critical", "weights": "fresh"},
        "explodes",
        "The gradient at the input is 2.68e3 times",
    ),
    "ReLU with Xavier": (
        {"activation": "relu", "init": "xavier_normal", "weights": "fresh"},
        "vanishes",
        "each layer multiplies it by about 0.704",
    ),
    "ReLU with Kaiming": (
        {"activation": "relu", "init": "kaiming_normal", "weights": "fresh"},
        "holds",
        "times that at the output",
    ),
    "a loss scale too large": (
        {"init": "xavier_normal", "number_format": "float16", "loss_scale": 2.0**20},
        "explodes",
        "does not fit float16 at the output",
    ),
    "a dead signal": (
        {"activation": "relu", "scale": 0.001, "depth": 60},
        "dies",
        "Every element of x is 0 at the last layer",
    ),
    "weights of zero": (
        {"activation": "tanh", "scale": 0.0, "depth": 5},
        "vanishes",
        "Every weight is 0",
    ),
    "a loss scale beyond a format that saturates": (
        {
            "init": "orthogonal",
            "weights": "fresh",
            "width": 64,
            "number_format": "float8_e4m3fn",
            "loss_scale": 2.0**24,
        },
        "saturates",
        "at the output: 100% of its elements other than zero are held at 448",
    ),
    "a signal that is not finite": (
        {"activation": "gelu", "width": 64},
        "breaks",
        "x is not finite at layer 100, and neither",
    ),
    "a signal that is not finite, at a loss scale that fits": (
        {
            "activation": "gelu",
            "init": "kaiming_normal",
            "scale": 2.0,
            "weights": "fresh",
            "number_format": "float16",
            "loss_scale": 1024.0,
        },
        "breaks",
        "x is not finite at layer 100, and neither",
    ),
    "a loss scale so small that much is lost": (
        {
            "init": "orthogonal",
            "weights": "fresh",
            "width": 256,
            "depth": 20,
            "number_format": "float16",
            "loss_scale": 2.0**-24,
        },
        "stuck",
        "among the smallest numbers of float16: 41% of its elements are 0 at the output",
    ),
    "weights that do not fit": (
        {"activation": "tanh", "scale": 1e5, "number_format": "float16", "width": 64},
        "explodes",
        "there is no room left",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_known_gradients(case):
    fields, kind, words = CASES[case]
    told = judge(backpropagate(Experiment(**fields)))
    assert told.kind == kind and words in told.sentence


def test_both_ways_in_a_few_words():
    assert both_ways("holds", "settles") == "healthy both ways"
    assert both_ways("holds", "explodes") == "forward it holds, its gradient explodes"
