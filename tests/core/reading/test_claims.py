"""Every claim of a verdict's sentence, read from the sentence and checked against the numbers."""

import re

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from core import ACTIVATIONS, INITIALIZERS, NUMBER_FORMATS, Experiment, propagate
from core.reading.verdict import judge
from core.simulation.propagate import draw_input
from tests.core.experiments import CPU, LAYERS, allowed, weights_and_bias

DEEPEST = Experiment.__dataclass_fields__["depth"].metadata["parameter"].maximum
NUMBER = r"(\d+(?:\.\d+)?(?:e-?\d+)?)"
# A number in a sentence has three digits: half a unit of the last is at most 1/200 of it.
DIGITS = 1 / 200


def in_range(run):
    """log2 of the size at the layers before the first that is not normal, finite and moving."""
    stats, limit = run.stats, run.experiment.format
    stuck = stats.saturated > 0.25 * (1 - stats.zero)
    bad = (stats.nonfinite > 0) | ~np.isfinite(run.log2_size) | stuck
    bad |= stats.max_abs < limit.smallest_normal
    return run.log2_size[: int(np.argmax(bad)) if bad.any() else len(bad)]


def last_half(steps):
    return steps[min(len(steps) // 2, max(0, len(steps) - 8)) :]


def check_factor(run, told):
    """The factor is the mean step of the last half, whose parts agree on it."""
    found = re.search(rf"multiplies .*? by about {NUMBER}", told.sentence)
    if not found:
        return
    octaves = np.log2(float(found[1]))
    steps = np.diff(in_range(run))
    window = last_half(steps)
    noise = np.std(steps, ddof=1) / np.sqrt(len(window))
    assert abs(window.mean() - octaves) <= max(5 * noise, 0.02 * abs(octaves)) + 2 * DIGITS
    assert told.growth == pytest.approx(float(found[1]), rel=DIGITS)
    thirds = np.array_split(window, 3)
    noise = np.std(window) / np.sqrt(len(thirds[-1]))
    for third in thirds:
        assert abs(third.mean() - octaves) <= max(5 * noise, 0.05 * abs(octaves)) + 2 * DIGITS
    if "Each product" in told.sentence and len(steps) > len(window):
        early = steps[: len(steps) - len(window)]
        noise = np.std(steps) / np.sqrt(min(len(early), len(window)))
        assert abs(early.mean() - octaves) <= max(7 * noise, 0.05 * abs(octaves)) + 2 * DIGITS


def check_forecast(run, told):
    """The run that is made so deep ends within a tenth of the forecast; returns whether read."""
    found = re.search(r"would (overflow|stick|sink)\b.* after about (\d+) products", told.sentence)
    if not found:
        assert "at this rate" not in told.sentence
        return False
    due = int(found[2])
    deep = int(1.1 * due) + 1
    assume(deep <= DEEPEST)
    stats = propagate(run.experiment.replace(depth=deep)).stats
    ends = {
        "overflow": stats.nonfinite > 0,
        "stick": stats.saturated > 0,
        "sink": stats.max_abs < run.experiment.format.smallest_normal,
    }[found[1]]
    assert ends.any(), f"nothing ends within {deep} products"
    assert 0.9 * due - 1 <= int(np.argmax(ends)) <= 1.1 * due + 1
    return True


def check_holds(run, told):
    log2 = run.log2_size
    with np.errstate(invalid="ignore"):  # the std of equal elements is 0, and its log2 −∞
        assert ((log2 == log2[0]) | (np.abs(log2 - log2[0]) <= 4)).all()


def check_wanders(run, told):
    """It ends near its beginning or its level, and was far away in between, or zero."""
    log2 = run.log2_size
    if run.stats.zero[0] == 1:
        assert run.stats.zero[-1] == 1 and run.stats.zero.min() < 1
        return
    if np.isneginf(log2[0]):  # equal elements, whose std is 0
        assert np.isneginf(log2[-1]) and not np.isneginf(log2).all()
        return
    away = log2 - log2[0]
    assert np.abs(away).max() > 4 and np.abs(away[-1]) <= 4


def check_settles(run, told):
    layer, value = re.search(rf"From layer (\d+) on .* stays near {NUMBER}", told.sentence).groups()
    rest = run.log2_size[int(layer) :] - np.log2(float(value))
    assert int(layer) <= run.experiment.depth // 2 + 1
    assert np.abs(rest).max() <= max(0.26, 5 * rest.std())
    # A level: the layers scatter around it, and their halves are equally high.
    early, late = np.array_split(rest, 2)
    assert abs(early.mean() - late.mean()) <= max(0.03, 2 * rest.std())


def check_stuck(run, told):
    layer, value = re.search(rf"From layer (\d+) on .* stays near {NUMBER}", told.sentence).groups()
    stats = run.stats
    assert (stats.zero[int(layer) :] < 1).all() and stats.max_abs[-1] > 0
    assert stats.max_abs[-1] < run.experiment.format.smallest_normal
    assert stats.rms[-1] == pytest.approx(float(value), rel=DIGITS)
    # Without rounding x would be far smaller by now.
    lost = stats.log2_rms[len(in_range(run)) - 1] - stats.log2_rms[-1]
    layers = len(stats) - len(in_range(run))
    assert layers * -np.log2(told.growth) > lost - 1


def check_collapses(run, told):
    found = re.search(r"From layer (\d+) on all (\d+) inputs give the same output", told.sentence)
    stats = run.stats
    if found is None:
        assert stats.std[-1] <= 2**-10 * stats.rms[-1]
        return
    assert int(found[2]) == run.experiment.batch_size > 1
    rest = slice(int(found[1]), None)
    assert (stats.std_across_inputs[rest] <= 1e-3 * stats.rms[rest]).all()
    if run.experiment.batch_size <= run.experiment.width and run.final.any():
        columns = run.final.astype(np.float64)
        columns /= np.abs(columns).max()
        apart = columns - columns.mean(1, keepdims=True)
        assert np.sqrt(np.square(apart).mean() / np.square(columns).mean()) <= 1e-3


def check_direction(run, told):
    change = run.log2_size[-1] - run.log2_size[0]
    assert (change > 0) == (told.kind == "grows") and abs(change) > 1
    added = re.search(rf"that of a branch of rms {NUMBER}; such a sum", told.sentence)
    if added:
        check_additions(run, added[1])
    power = re.search(r"(grows|falls) about as (\S+(?: to the power \S+)?)", told.sentence)
    if power:
        check_power(run, *power.groups())
    if "no constant factor" in told.sentence:
        assert np.isnan(told.growth)


def check_additions(run, rms):
    """Each layer adds this variance, the first half of them as much as the second."""
    square = 4.0**run.stats.log2_rms
    depth = len(square) - 1
    assert square[-1] - square[0] == pytest.approx(depth * float(rms) ** 2, rel=0.35)
    half = depth // 2
    early, late = (square[half] - square[0]) / half, (square[-1] - square[half]) / (depth - half)
    assert 0.4 < early / late < 2.5


def check_power(run, verb, words):
    named = {"1/√k": -0.5, "1/k": -1, "√k": 0.5, "k": 1}
    written = words.split()[-1].replace("−", "-")
    exponent = named[words] if words in named else float(written)
    assert (exponent > 0) == (verb == "grows")
    log2 = in_range(run)
    k = np.arange(len(log2))
    half = slice(len(log2) // 2, None)
    left = log2[half] - exponent * np.log2(k[half])
    noise = np.std(np.diff(log2)[half]) * np.sqrt(len(left))
    assert np.ptp(left) <= 0.15 + 4 * noise


def after_one_more(run, layers):
    """φ(a @ x + b) and a @ x + b in float64, of the layer that follows ``layers`` layers."""
    e = run.experiment
    x = propagate(e.replace(depth=layers)).final if layers else draw_input(e, CPU).float().numpy()
    x = torch.from_numpy(np.asarray(x, np.float64))
    seen = e.format.cast(x.float())
    a, b = weights_and_bias(e, layers + 1 if e.weights == "fresh" else 1, x=seen)
    h = a.double() @ x
    if b is not None:
        h = h + b.double().view(-1, *[1] * (h.dim() - 1))
    return e.phi(h), h


def check_zeros(run, told):
    """The cause that a sentence gives for zeros, from the layer before them in float64."""
    e, index = run.experiment, run.events.all_zero
    assert (run.stats.zero[index + 1 :] == 1).all()
    if not e.layer.is_plain:
        assert told.sentence.endswith(f"From i = {index} on every element is exactly 0.")
        return
    if e.weight_std == 0 or "weights themselves" in told.sentence or e.rule.fit:
        return
    x, h = after_one_more(run, index)
    if "has only zero" in told.sentence:  # float32 and float64 round every term of a sum
        assert x.abs().max() <= e.format.smallest_normal
    if "torch's" in told.sentence:
        assert x.abs().max() >= e.format.smallest_normal
    if "no pre-activation is positive" in told.sentence:
        assert (h <= e.format.smallest_normal).all()


CHECKS = {
    "vanishes": check_zeros,
    "dies": check_zeros,
    "holds": check_holds,
    "wanders": check_wanders,
    "settles": check_settles,
    "stuck": check_stuck,
    "collapses": check_collapses,
    "grows": check_direction,
    "shrinks": check_direction,
}


def check(run):
    """Read a verdict and check each of its claims; returns whether a forecast was among them."""
    told = judge(run)
    assert told.sentence.endswith(".") and not re.search(r"\b(nan|inf)\b", told.sentence)
    check_factor(run, told)
    if told.kind in CHECKS:
        CHECKS[told.kind](run, told)
    return check_forecast(run, told)


FIELDS = {
    "width": st.sampled_from([1, 2, 3, 5, 16, 64, 100, 256]),
    "depth": st.sampled_from([1, 3, 5, 9, 20, 40, 100, 200]),
    "init": st.sampled_from(sorted(INITIALIZERS)),
    "scale": st.sampled_from(
        [0.0, 0.01, 0.1, 0.5, 0.7, 0.9, 0.97, 1.0, 1.0, 1.0, 1.02, 1.1, 1.5, 3.0]
    ),
    "activation": st.sampled_from(sorted(ACTIVATIONS)),
    "weights": st.sampled_from(["tied", "fresh"]),
    "bias_std": st.sampled_from([0.0, 0.0, 1e-5, 0.02, 0.5, 10.0]),
    "number_format": st.sampled_from([*sorted(NUMBER_FORMATS), *["float32"] * 4]),
    "batch_size": st.sampled_from([1, 1, 1, 2, 8]),
    "seed": st.integers(0, 99),
}


@settings(max_examples=300, deadline=None)
@given(st.builds(Experiment, **FIELDS))
def test_every_claim_of_a_verdict_is_so(experiment):
    check(propagate(experiment))


@settings(max_examples=300, deadline=None)
@given(st.builds(allowed, **FIELDS, **LAYERS))
def test_every_claim_of_a_verdict_is_so_of_any_layer(experiment):
    check(propagate(experiment.replace(width=min(experiment.width, 64))))
