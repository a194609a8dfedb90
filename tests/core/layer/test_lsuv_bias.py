"""LSUV with a fitted bias: every pre-activation has mean 0 and variance 1 on the data."""

import contextlib
import io

import numpy as np
import pytest
import torch

from core import NUMBER_FORMATS, Experiment, backpropagate, mean_field, propagate, sample_ensemble
from core.host.limits import cost
from core.layer.bias import Bias
from core.layer.lsuv import BIAS_CODE, TOLERANCE, zero_mean
from core.layer.operation import Moments, Shape
from core.reading.guesses import loop, setting
from core.reading.verdict import judge
from core.simulation.propagate import draw_input, draw_layer, to_numpy
from core.simulation.scale_free import is_scale_free
from core.simulation.script import to_script
from core.theory.finite_width import predict

CPU = torch.device("cpu")
E = Experiment(
    width=96, depth=10, init="lsuv_bias", activation="relu", weights="fresh", batch_size=4
)


def pre_activations(e):
    """h of every layer, by a plain loop over the drawn parameters."""
    x = draw_input(e, CPU)
    drawn = None
    for k in range(1, e.depth + 1):
        if drawn is None or e.weights == "fresh":
            drawn = draw_layer(e, k, CPU, x)
        a, b = drawn[:2]
        h = a.double() @ x.double() + b.double()
        yield h
        x = e.format.cast(e.phi(h.to(e.format.product_dtype)))


@pytest.mark.parametrize("scale", [1.0, 0.3, 5.0])
@pytest.mark.parametrize("bias_std", [0.0, 0.7])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_every_fresh_layer_has_mean_zero_and_the_scale_factors_variance(
    scale, bias_std, batch_size
):
    e = E.replace(scale=scale, bias_std=bias_std, batch_size=batch_size)
    for h in pre_activations(e):
        # The bias is rounded to float32, and a @ x here is added up in another order.
        assert abs(float(h.mean())) < 1e-6 * (scale + bias_std)
        if not bias_std:  # drawn biases add their own variance
            assert abs(float(h.var(correction=0)) / scale**2 - 1) < TOLERANCE


def test_the_bias_of_all_units_is_the_same_number_beside_what_is_drawn():
    _, b, _ = draw_layer(E, 1, CPU, draw_input(E, CPU))
    assert b.shape == (96, 1) and float(b.std()) == 0 != float(b[0])
    drawn = E.replace(bias_std=0.2)
    _, fitted, _ = draw_layer(drawn, 1, CPU, draw_input(drawn, CPU))
    plain = drawn.replace(init="lsuv")
    _, alone, _ = draw_layer(plain, 1, CPU, draw_input(plain, CPU))
    moved = fitted - alone
    # Each is a number near 0.2, rounded to float32.
    torch.testing.assert_close(moved, moved[:1].expand_as(moved), rtol=0, atol=1e-7)


def test_the_weights_are_those_of_lsuv():
    own, plain = (draw_layer(e, 1, CPU, draw_input(e, CPU))[0] for e in (E, E.replace(init="lsuv")))
    assert torch.equal(own, plain)


def test_one_bias_for_all_layers_is_fitted_to_the_first():
    e = E.replace(weights="tied")
    means = [abs(float(h.mean())) for h in pre_activations(e)]
    assert means[0] < 1e-6 < min(means[1:])
    fresh = propagate(e.replace(weights="fresh")).stats.std
    assert np.array_equal(propagate(e).stats.std[:2], fresh[:2])


@pytest.mark.parametrize("bias_std", [0.0, 0.2])
@pytest.mark.parametrize("weights", ["tied", "fresh"])
@pytest.mark.parametrize("number_format", NUMBER_FORMATS)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_the_script_agrees_there_and_back(bias_std, weights, number_format, batch_size):
    e = E.replace(
        width=24,
        depth=5,
        activation="gelu",
        weights=weights,
        number_format=number_format,
        bias_std=bias_std,
        batch_size=batch_size,
    )
    back, before, space = backpropagate(e), torch.get_num_threads(), {}
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(to_script(e, backward=True), space)
    finally:
        torch.set_default_device(None)
        torch.set_num_threads(before)
    assert np.array_equal(to_numpy(space["x"]), back.run.final)
    assert np.array_equal(to_numpy(space["g"]), back.final)


@pytest.mark.parametrize("changes", [{"branch": "mlp"}, {"branch": "preactivation"}])
def test_every_product_of_a_branch_has_a_fitted_bias(changes):
    e = E.replace(**changes, skip="identity")
    biases = [op for op in e.layer.leaves if isinstance(op, Bias)]
    assert len(biases) == len(e.layer.products) and all(b.fitted for b in biases)
    assert np.isfinite(propagate(e).stats.rms).all()


@pytest.mark.parametrize(
    "h", [torch.zeros(8), torch.full((8, 2), torch.inf), torch.full((8,), torch.nan)]
)
def test_what_has_no_mean_leaves_the_bias_alone(h):
    b = torch.zeros(8) if h.dim() == 1 else torch.zeros(8, 1)
    assert torch.equal(zero_mean(b, h), b)


def test_it_reaches_both_ends_of_float64():
    for size in (1e-300, 1e300):
        h = (torch.rand(64, generator=torch.Generator().manual_seed(0)) + 0.5).double() * size
        b = zero_mean(torch.zeros(64).double(), h)
        # 64 numbers of this size, each rounded by 1.1e-16 of itself.
        assert abs(float((h / size + b / size).mean())) < 1e-15


def test_the_lines_do_the_same_to_the_last_bit():
    generator = torch.Generator().manual_seed(0)
    x, b = torch.randn(32, 5, generator=generator), torch.randn(32, 1, generator=generator)
    space = {"x": x, "b": b}
    exec(BIAS_CODE.format(b="b"), space)
    assert torch.equal(space["b"], zero_mean(b, x)) and not torch.equal(space["b"], b)


@pytest.mark.parametrize("weights", ["tied", "fresh"])
@pytest.mark.parametrize("bias_std", [0.0, 0.3])
def test_an_ensemble_has_the_law_of_runs(weights, bias_std):
    e = E.replace(width=32, depth=6, batch_size=2, weights=weights, bias_std=bias_std)
    e = e.replace(activation="leaky_relu")  # which lets no network die
    runs = np.array([propagate(e.replace(seed=seed)).stats.log2_rms for seed in range(300)])
    many = sample_ensemble(e, 300, backward=True)
    assert not many.exact_in_law and many.log2_gradient_rms.shape == (300, 7)
    for layer in (1, 3, 6):
        one, two = runs[:, layer], many.log2_rms[:, layer]
        error = np.hypot(one.std(), two.std()) / np.sqrt(300)
        assert abs(one.mean() - two.mean()) < 5 * error
        # The std of 300 numbers has a relative standard error of some 6 %, with heavier tails 10 %.
        assert one.std() == pytest.approx(two.std(), rel=0.5)


def test_the_fit_takes_the_scatter_of_the_mean_out_of_relu():
    """The mean of h over units, of size 1/√n, moves the mean square of ReLU; the fit removes it."""
    scatter = {}
    for init in ("lsuv", "lsuv_bias"):
        e = E.replace(init=init, width=32, depth=6, batch_size=2)
        many = sample_ensemble(e, 400).log2_rms[:, -1]
        scatter[init] = many.std()
    assert scatter["lsuv_bias"] < 0.5 * scatter["lsuv"]


def test_theory_has_no_law_at_this_width_and_that_of_lsuv_without_end():
    prediction = predict(E.replace(batch_size=1))
    assert not prediction.known and "the initialiser lsuv_bias." in prediction.valid
    own, plain = (mean_field.profile(e) for e in (E, E.replace(init="lsuv")))
    assert np.array_equal(own.log2_rms, plain.log2_rms)
    assert np.array_equal(own.log2_gradient_rms, plain.log2_gradient_rms)
    moments = Bias(0.0, fitted=True).moments(Moments(square=2.0, mean=0.0))
    assert (moments.square, moments.mean) == (2.0, 0.0)
    wide = E.replace(width=2048, depth=4)
    _, b, _ = draw_layer(wide, 1, CPU, draw_input(wide, CPU))
    assert abs(float(b[0])) < 5 / np.sqrt(2048 * 4)  # the mean of that many numbers of variance 1


def test_it_is_not_free_of_scale_and_counts_as_a_bias():
    assert not is_scale_free(E.replace(weights="tied")) and E.has_bias
    assert not E.replace(init="lsuv").has_bias and E.replace(init="lsuv", bias_std=0.1).has_bias
    assert cost(E).multiply_adds > cost(E.replace(init="lsuv")).multiply_adds
    assert "b fitted" in setting(E) and "+ b[i]" in loop(E)


def test_a_signal_that_a_fitted_bias_holds_is_forecast_no_end():
    e = E.replace(weights="tied", activation="linear", scale=0.5, depth=200, batch_size=1, width=64)
    run = propagate(e)
    verdict = judge(run)
    assert run.events.all_zero is None and float(run.stats.rms[-1]) > 1e-3
    assert "at this rate" not in verdict.sentence


def test_without_data_it_is_refused_by_name():
    with pytest.raises(ValueError, match="lsuv_bias is fitted to data: x is missing"):
        draw_layer(E, 1, CPU)
    shape, on = Shape(3, 1, 1), E.arithmetic
    with pytest.raises(ValueError, match="the biases are fitted to data: x is missing"):
        Bias(0.0, fitted=True).draw(torch.Generator(), shape, None, on)
