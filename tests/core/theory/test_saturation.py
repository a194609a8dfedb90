"""A format that saturates holds elements at its largest value: theory and ensembles end there."""

import numpy as np
import pytest
import torch

from core import ACTIVATIONS, Experiment, predict, propagate, sample_ensemble
from core.reading.expectation import bands, luck

END = 448.0
HELD = Experiment(width=128, depth=60, weights="fresh", number_format="float8_e4m3fn")

# Fields whose signal reaches the end: by far, and hardly.
REACHING = [
    {},
    {"weights": "tied"},
    {"init": "xavier_normal", "scale": 2.0},
    {"init": "xavier_normal", "scale": 1.2},
    {"activation": "relu"},
    {"activation": "gelu", "bias_std": 3.0},
    {"activation": "abs", "scale": 0.2},
    {"activation": "softplus"},
    {"init": "orthogonal", "scale": 1.5},
]


def test_the_lesson_ends_at_448():
    law = predict(Experiment(number_format="float8_e4m3fn"))
    assert law.known and law.std_known
    for of_size in (law.log2_rms_quantiles, law.log2_std_quantiles):
        rows = np.array(list(of_size.values()))
        assert (rows <= np.log2(END)).all() and (rows[:, 10:] > np.log2(0.9 * END)).all()
    assert "From layer 2 on float8_e4m3fn holds elements at 448" in law.valid


@pytest.mark.parametrize("fields", REACHING, ids=str)
def test_the_typical_size_is_that_of_runs(fields):
    e = HELD.replace(**fields)
    law = predict(e)
    runs = [propagate(e.replace(seed=seed)).stats for seed in range(12)]
    # 0.15 octaves: numbers of three bits are off by up to 1/16, and 12 networks by some per cent
    # once all elements are near the end.
    for name, of_size in (
        ("log2_rms", law.log2_rms_quantiles),
        ("log2_std", law.log2_std_quantiles),
    ):
        if not of_size:  # tied weights with a φ have no law
            continue
        measured = np.median([getattr(run, name) for run in runs], axis=0)
        np.testing.assert_allclose(of_size[0.5][45:], measured[45:], atol=0.15)


@pytest.mark.parametrize("fields", REACHING, ids=str)
def test_an_ensemble_is_cut_off_as_plain_products_are(fields):
    e = HELD.replace(**fields, depth=20, width=32)
    many = sample_ensemble(e, 60, seed=2)
    assert (many.log2_max_abs <= np.log2(END)).all()
    assert (many.log2_rms <= many.log2_max_abs + 1e-6).all()  # float32 sums
    assert np.isnan(many.first_overflow).all()
    phi, sizes = ACTIVATIONS[e.activation], []
    generator = torch.Generator().manual_seed(5)
    for _ in range(60):
        x = torch.randn(32, generator=generator)
        a = e.rule.sample(32, 32, phi, generator=generator) * e.scale
        for _ in range(e.depth):
            h = a @ x + e.bias_std * torch.randn(32, generator=generator)
            x = phi(h).clamp(-END, END)
            if e.weights == "fresh":
                a = e.rule.sample(32, 32, phi, generator=generator) * e.scale
        sizes.append(float(x.double().square().mean().log2() / 2))
    # Four standard errors of the difference of two medians of 60 networks.
    spread = max(np.std(sizes), np.std(many.log2_rms[:, -1]), 1e-3)
    error = 4 * 1.25 * spread * (2 / 60) ** 0.5
    assert np.median(many.log2_rms[:, -1]) == pytest.approx(np.median(sizes), abs=error)


def test_what_stays_below_the_end_is_untouched():
    for fields in ({"init": "xavier_normal"}, {"activation": "tanh"}, {"scale": 0.01}):
        e = HELD.replace(**fields)
        here, there = predict(e), predict(e.replace(number_format="float32"))
        for level, row in there.log2_std_quantiles.items():
            assert np.array_equal(here.log2_std_quantiles[level], row)
        one, other = (sample_ensemble(each, 8) for each in (e, e.replace(number_format="float32")))
        assert np.array_equal(one.log2_rms, other.log2_rms)


def test_nothing_is_told_of_a_size_beyond_the_end():
    e = Experiment(number_format="float8_e4m3fn")
    run = propagate(e)
    assert luck(run, bands(predict(e), None, single=False)) == ""
    many = sample_ensemble(e, 40)
    told = luck(run, bands(predict(e.replace(init="sparse")), many, single=False))
    assert "e1" not in told and "44" in told


def test_an_ensemble_of_another_format_cannot_answer():
    e = HELD.replace(depth=5, width=8)
    many = sample_ensemble(e, 3)
    assert np.array_equal(many.at(e.replace(depth=3)).log2_rms, many.log2_rms[:, :4])
    for other in (e.replace(scale=2.0), e.replace(number_format="float32")):
        with pytest.raises(ValueError, match="number_format must be that of the ensemble"):
            many.at(other)
    with pytest.raises(ValueError, match="saturates, got float8_e4m3fn"):
        sample_ensemble(e.replace(number_format="float32"), 3).at(e)
