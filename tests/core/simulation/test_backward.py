"""The way back, against autograd on the same arithmetic, and against plain sums."""

from itertools import product

import numpy as np
import pytest
import torch

from core import ACTIVATIONS, NUMBER_FORMATS, Experiment, propagate
from core.layer.conversions import flushed
from core.layer.multiplication import WIDE
from core.simulation.backward import backpropagate
from core.simulation.propagate import draw_input, draw_layer, draw_output_gradient
from tests.core.experiments import CPU


class Cast(torch.autograd.Function):
    """A cast between dtypes, whose gradient is cast back; by the format's conversion into it."""

    @staticmethod
    def forward(ctx, x, cast, back):
        ctx.back = back
        return cast(x)

    @staticmethod
    def backward(ctx, g):
        return ctx.back(g), None, None


def ended(x, f):
    """The end of a step, and of its gradient: formats that flush have no subnormal numbers."""
    return Cast.apply(x, flushed, flushed) if f.flushes else x


def by_autograd(e):
    """δ_0 … δ_L and the gradient of every product's matrix, by torch.autograd."""
    f = e.format
    x = draw_input(e, CPU).requires_grad_()
    xs, matrices, drawn = [x], [], None
    for k in range(1, e.depth + 1):
        if drawn is None or e.weights == "fresh":
            with torch.no_grad():
                drawn = draw_layer(e, k, CPU, x.detach())
        a = drawn[0].clone().requires_grad_()
        wide = Cast.apply(x, lambda x: x.to(f.sum_dtype), f.cast)
        h = ended((a @ wide).to(f.product_dtype), f)
        if e.bias_std:
            h = ended(h + drawn[1], f)
        # ReLU's own module: at 0, clamp_min passes the gradient on
        y = {"relu": torch.relu, "relu_squared": lambda h: torch.relu(h) ** 2}.get(
            e.activation, e.phi.function
        )(h)
        x = Cast.apply(ended(y, f), f.cast, lambda g: g.to(f.product_dtype))
        x.retain_grad()
        xs.append(x)
        matrices.append(a)
    x.backward(draw_output_gradient(e, CPU))
    return [x.grad for x in xs], [a.grad for a in matrices]


def equal(found, wanted):
    found, wanted = found.double().numpy(), wanted.double().numpy()
    assert np.array_equal(found, wanted, equal_nan=True)


# In the others aᵀ is rounded in another way than a, and sums in another way than autograd's.
AS_AUTOGRAD = [name for name, entry in NUMBER_FORMATS.items() if entry.multiplication is WIDE]

EXPERIMENTS = [
    Experiment(
        width=19,
        depth=5,
        scale=0.25,
        activation=activation,
        weights=weights,
        bias_std=bias_std,
        number_format=number_format,
        batch_size=batch_size,
        loss_scale=4.0,
    )
    for activation, weights, (bias_std, batch_size), number_format in product(
        ACTIVATIONS, ("tied", "fresh"), ((0.0, 1), (0.3, 1), (0.3, 3)), AS_AUTOGRAD
    )
]


def near(found, wanted, rel):
    assert found == pytest.approx(float(wanted), rel=rel, abs=0, nan_ok=True)


def rms(values):
    return values.double().square().mean().sqrt()


@pytest.mark.parametrize("e", EXPERIMENTS, ids=lambda e: " ".join(e.to_query().values()))
def test_the_gradient_is_autograds_to_the_bit(e):
    gradients, matrices = by_autograd(e)
    back = backpropagate(e)
    equal(torch.from_numpy(back.final), gradients[0])
    for k, gradient in enumerate(gradients):
        near(back.stats.rms[k], rms(gradient), 1e-12)
        near(back.stats.zero[k], (gradient == 0).double().mean(), 1e-12)
    for k, gradient in enumerate(matrices, 1):
        stored = e.format.cast(gradient).double()
        near(2.0 ** back.weights.log2_rms[k], rms(gradient), 1e-5)
        near(back.weights.zero[k], (stored == 0).double().mean(), 1e-12)
        near(back.weights.nonfinite[k], (~stored.isfinite()).double().mean(), 1e-12)
    if e.weights == "tied":
        near(2.0 ** back.weights.whole["log2_rms"], rms(sum(matrices)), 1e-5)
    else:
        assert back.weights.whole is None


@pytest.mark.parametrize("e", [EXPERIMENTS[0], EXPERIMENTS[-1], Experiment()])
def test_the_run_forward_is_that_of_propagate(e):
    run, back = propagate(e), backpropagate(e)
    for name, values in run.stats.values.items():
        assert np.array_equal(values, back.run.stats.values[name], equal_nan=True)
    assert run.events == back.run.events
    assert np.array_equal(run.final, back.run.final, equal_nan=True)


def test_drawing_the_matrices_again_changes_no_bit(monkeypatch):
    e = Experiment(width=33, depth=30, weights="fresh", init="lsuv", activation="tanh")
    kept = backpropagate(e)
    monkeypatch.setenv("GOOD_INIT_MAX_BYTES", "4e7")
    again = backpropagate(e)
    assert np.array_equal(kept.final, again.final)


def test_the_lessons_gradient_overflows_as_its_signal_does():
    back = backpropagate(Experiment())
    assert back.run.events.first_nonfinite == 28
    assert back.events.first_nonfinite == back.events.first_nan == 100 - 29
    assert np.isfinite(back.stats.log2_rms[72:]).all()


def test_the_signal_times_its_gradient_is_the_same_at_every_layer():
    e = Experiment(width=64, depth=1, scale=0.2, activation="relu", number_format="float64")
    products = []
    for depth in (1, 7, 30):
        back = backpropagate(e.replace(depth=depth, weights="fresh"))
        output = draw_output_gradient(back.run.experiment, CPU).numpy()
        start = draw_input(back.run.experiment, CPU).numpy()
        products.append((back.run.final @ output, start @ back.final))
    for there, here in products:
        assert there == pytest.approx(here, rel=1e-12)


def test_the_loss_scale_saves_what_float16_would_lose():
    e = Experiment(width=64, depth=60, scale=0.14, activation="relu", number_format="float16")
    assert backpropagate(e).events.all_subnormal == 21
    saved = backpropagate(e.replace(loss_scale=2.0**10)).events
    assert saved.all_subnormal is saved.first_nonfinite is None
    assert backpropagate(e.replace(loss_scale=2.0**24)).events.first_nonfinite == e.depth


def test_hooks_are_told_of_both_ways():
    told = []
    backpropagate(Experiment(width=8, depth=5), on_progress=told.append)
    assert told == [k / 10 for k in range(1, 11)]
