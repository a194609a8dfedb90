"""LSUV: unit variance on the data, its iteration limit, and its place among the initialisers."""

import contextlib
import io

import numpy as np
import pytest
import torch

from core import INITIALIZERS, NUMBER_FORMATS, Experiment, propagate
from core.host.limits import cost
from core.layer.lsuv import CODE, MOST_DIVISIONS, TOLERANCE, unit_variance
from core.reading.verdict import judge
from core.simulation.propagate import draw_input, draw_layer
from core.simulation.scale_free import is_scale_free, scale_free
from core.simulation.script import to_script
from core.theory.finite_width import predict
from core.theory.windows import scale_window
from tests.core.experiments import weights_and_bias

CPU = torch.device("cpu")
LSUV = Experiment(width=96, depth=12, init="lsuv", activation="relu", weights="fresh", batch_size=4)


def matrix(n=64, factor=1.0, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(n, n, generator=generator) * factor).to(dtype)


def variance(h):
    return h.double().var(correction=0).item()


@pytest.mark.parametrize("factor", [1e-12, 1e-3, 0.125, 1.0, 70.0, 1e12])
@pytest.mark.parametrize("shape", [(64,), (64, 7)])
def test_the_output_has_variance_one_within_the_tolerance(factor, shape):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(9)).clamp_min(0)
    a = unit_variance(matrix(factor=factor), x)
    assert abs(variance(a @ x) - 1) < TOLERANCE
    # One division makes the variance 1 up to rounding; a matrix within the tolerance is kept.
    if factor != 0.125:
        assert variance(a @ x) == pytest.approx(1, abs=1e-5)


def test_the_tolerance_and_the_limit_are_the_papers():
    assert (TOLERANCE, MOST_DIVISIONS) == (0.1, 10)


def test_a_matrix_that_is_good_enough_is_not_touched():
    x = torch.randn(64, 50, generator=torch.Generator().manual_seed(1))
    a = INITIALIZERS["orthogonal"].sample(
        64, 64, LSUV.phi, generator=torch.Generator().manual_seed(2)
    )
    assert abs(variance(a @ x) - 1) < TOLERANCE
    assert torch.equal(unit_variance(a, x), a)


def test_it_gives_up_after_ten_divisions():
    class Stubborn:
        """Weights whose output stays the same after every division."""

        dtype, divisions = torch.float32, 0

        def __matmul__(self, x):
            return 3 * x

        def __truediv__(self, std):
            self.divisions += 1
            return self

    stubborn = Stubborn()
    assert unit_variance(stubborn, torch.randn(50)) is stubborn
    assert stubborn.divisions == MOST_DIVISIONS


@pytest.mark.parametrize(
    "x",
    [torch.zeros(64), torch.full((64,), torch.inf), torch.full((64, 2), torch.nan)],
    ids=["dead", "Inf", "NaN"],
)
def test_what_has_no_variance_leaves_the_matrix_alone(x):
    assert torch.equal(unit_variance(matrix(), x), matrix())
    assert torch.equal(unit_variance(matrix(1), torch.ones(1)), matrix(1))


def test_it_reaches_both_ends_of_float64():
    for size in (1e-200, 1e-100, 1e100, 1e200):
        x = torch.randn(64, generator=torch.Generator().manual_seed(3)).double() * size
        a = unit_variance(matrix(dtype=torch.float64), x)
        assert variance(a @ x) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_lines_do_the_same_to_the_last_bit(dtype):
    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(4))
    names = {"a": matrix(dtype=dtype), "x": x}
    exec(CODE.format(a="a"), names)
    assert torch.equal(names["a"], unit_variance(matrix(dtype=dtype), x))


def layers(e):
    """a and x of every product, by a plain loop."""
    x = draw_input(e, CPU)
    a = None
    for k in range(1, e.depth + 1):
        if a is None or e.weights == "fresh":
            a, b = weights_and_bias(e, k, CPU, x)
        yield a, x
        h = (a @ x.to(e.format.sum_dtype)).to(e.format.product_dtype)
        x = e.format.cast(e.phi(h if b is None else h + b))


@pytest.mark.parametrize("scale", [1.0, 0.3, 5.0])
@pytest.mark.parametrize("bias_std", [0.0, 0.7])
def test_every_fresh_layer_has_the_scale_factors_variance_before_the_bias(scale, bias_std):
    e = LSUV.replace(scale=scale, bias_std=bias_std)
    found = [variance(a @ x) / scale**2 for a, x in layers(e)]
    assert len(found) == e.depth and max(abs(v - 1) for v in found) < TOLERANCE


def test_one_matrix_is_fitted_to_the_first_product():
    e = LSUV.replace(weights="tied", activation="linear")
    pairs = list(layers(e))
    assert all(torch.equal(a, pairs[0][0]) for a, _ in pairs)
    assert abs(variance(pairs[0][0] @ pairs[0][1]) - 1) < TOLERANCE
    assert np.array_equal(
        propagate(e).stats.std[:2], propagate(e.replace(weights="fresh")).stats.std[:2]
    )


@pytest.mark.parametrize("weights", ["tied", "fresh"])
@pytest.mark.parametrize("number_format", NUMBER_FORMATS)
def test_it_runs_in_every_number_format_and_the_script_agrees(weights, number_format):
    e = LSUV.replace(weights=weights, number_format=number_format, bias_std=0.2)
    run = propagate(e)
    assert run.events.first_nonfinite is None
    before, out = torch.get_num_threads(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(to_script(e), {})
    finally:
        torch.set_default_device(None)
        torch.set_num_threads(before)
    assert out.getvalue().endswith(
        f"mean: {float(run.stats.mean[-1])}, std: {float(run.stats.std[-1])}\n"
    )
    if weights == "fresh" and NUMBER_FORMATS[number_format].bits > 8:
        # h has variance 1 + 0.2² within the tolerance; ReLU keeps half. A mean of 96 units' squares
        # has a relative standard error of √(5/96) = 0.23; the inputs add little. Four of those.
        np.testing.assert_allclose(run.stats.rms[1:] ** 2, 1.04 / 2, rtol=0.1 + 4 * 0.23)


def test_a_deeper_run_begins_with_the_shallower():
    deep, shallow = propagate(LSUV), propagate(LSUV.replace(depth=5))
    assert np.array_equal(deep.stats.std[:6], shallow.stats.std)


def test_it_travels_in_a_link():
    assert Experiment.from_query(LSUV.to_query()) == (LSUV, [])
    assert "lsuv" in Experiment(init="lsuv").to_query()["init"]


def test_only_one_matrix_for_all_layers_is_free_of_scale():
    fresh, tied = LSUV.replace(bias_std=0.0), LSUV.replace(weights="tied", width=40)
    assert not is_scale_free(fresh) and is_scale_free(tied)
    with pytest.raises(ValueError, match=r"fitted to what the one before made.*fresh lsuv"):
        scale_free(fresh)
    for scale in (1.0, 0.5, 2.0):
        run = propagate(tied.replace(scale=scale, number_format="float64"))
        shifted = scale_free(tied).log2_rms + np.log2(scale) * np.arange(tied.depth + 1)
        np.testing.assert_allclose(run.stats.log2_rms, shifted, atol=1e-12)


def test_it_has_no_law_and_says_so():
    prediction = predict(LSUV)
    assert not prediction.known and "lsuv" in prediction.valid


def test_without_data_its_weights_are_refused_by_name():
    with pytest.raises(ValueError, match="lsuv is fitted to data: x is missing"):
        draw_layer(LSUV, 1, CPU)


def test_fitting_is_counted_as_work():
    plain, fitted = (cost(LSUV.replace(init=name)) for name in ("orthogonal", "lsuv"))
    assert fitted.multiply_adds > plain.multiply_adds


def test_the_verdict_names_no_rate_that_does_not_hold():
    run = propagate(Experiment(width=64, depth=20, init="lsuv", scale=3.0, weights="fresh"))
    verdict = judge(run)
    assert verdict.kind == "settles" and "weight std" not in verdict.sentence
    assert run.stats.std[-1] == pytest.approx(3, rel=0.06)


@pytest.mark.parametrize("activation", ["linear", "relu"])
def test_a_scale_factor_does_not_pile_up_over_fresh_layers_and_its_window_is_wide(activation):
    e = Experiment(width=64, depth=60, init="lsuv", weights="fresh", activation=activation)
    window = scale_window(e, "float16")
    assert window.low < 1e-6 and window.high > 1e4
    for scale in (window.low * 4, window.high / 4):
        run = propagate(e.replace(scale=scale, number_format="float16"))
        assert run.events.first_nonfinite is None and run.events.all_zero is None
