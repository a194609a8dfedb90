"""Operations: which facets each has, and that the facets agree with one another."""

import sys

import numpy as np
import pytest
import torch

from core import (
    ACTIVATIONS,
    INITIALIZERS,
    NUMBER_FORMATS,
    Experiment,
    predict,
    propagate,
    sample_ensemble,
    to_script,
)
from core import mean_field as mf
from core.layer import elementwise, moments, tails
from core.layer.arithmetic import Rounded
from core.layer.bias import Bias
from core.layer.elementwise import IDENTITY, Elementwise
from core.layer.initializer import Initializer
from core.layer.norm import Norm
from core.layer.operation import Moments, Operation, Shape
from core.layer.product import Product
from core.layer.scaled import Scaled, ScaledNumbers
from core.layer.skip import Skip
from core.layer.stack import Layer, shifts
from core.layer.weights import Weights
from core.maths.arrays import LN, LOG2
from core.simulation.propagate import draw_input, draw_layer
from core.simulation.scale_free import is_scale_free, scale_free
from core.theory.windows import _windows
from tests.serving import ROOT
from tests.test_architecture import imported

CPU = torch.device("cpu")
OPERATIONS = (Product, Bias, Elementwise, Norm, Skip)
# Facet -> the side that uses it: simulation, theory, or both.
FACETS = {
    "draw": "simulation",
    "forward": "simulation",
    "code": "simulation",
    "in_law": "simulation",
    "backward": "simulation",
    "moments": "theory",
    "log_moments": "theory",
    "log_gradient_factor": "theory",
    "after": "both",
    "degree": "both",
    "scale_power": "both",
    "needs_matrices": "both",
    "cost": "both",
    "backward_cost": "both",
    "ensemble_elements": "both",
    "ensemble_cost": "both",
}
PLAIN = Experiment(width=24, depth=6, init="critical", weights="fresh")
CURVED = PLAIN.replace(activation="gelu", bias_std=0.3)
TIED = PLAIN.replace(weights="tied", activation="relu", depth=4)
REAL = CURVED.replace(init="truncated_normal", batch_size=3, number_format="float16")


@pytest.mark.parametrize("facet", FACETS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_has_every_facet(operation, facet):
    assert any(facet in vars(each) for each in operation.__mro__)


def test_no_layer_is_made_of_anything_else():
    for init in INITIALIZERS:
        for activation in ACTIVATIONS:
            e = Experiment(width=4, init=init, activation=activation, bias_std=0.1)
            assert {type(op) for op in e.layer} <= set(OPERATIONS)


def test_the_facets_are_those_of_the_interface():
    members = {name for name in vars(Operation) if not name.startswith("_")}
    assert set(FACETS) == members


# Folder -> modules of core/layer that belong to the other side.
NOT_FOR = {
    "theory": {"arithmetic", "scaled", "in_law", "lsuv"},
    "simulation": {"moments"},
}


@pytest.mark.parametrize("folder", NOT_FOR)
def test_neither_side_imports_what_the_other_is_made_of(folder):
    for path in sorted((ROOT / "core" / folder).glob("*.py")):
        layer = {name.split(".")[2] for name in imported(path) if name.startswith("core.layer.")}
        assert not layer & NOT_FOR[folder], path


def test_simulation_takes_no_second_moment_from_the_tails():
    for path in sorted((ROOT / "core" / "simulation").glob("*.py")):
        assert not any("tails.log2" in name for name in imported(path)), path


def refuse(*_, **__):
    raise AssertionError("the other side was asked")


def forget():
    """Empties every cache of core: what was computed before must not hide who computes it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("core."):
            for thing in vars(module).values():
                if hasattr(thing, "cache_clear"):
                    thing.cache_clear()


def raising(monkeypatch, side):
    """Every facet of one side raises, and so does what the facets are made of."""
    forget()
    for operation in OPERATIONS:
        for facet, asked_by in FACETS.items():
            if asked_by == side:
                monkeypatch.setattr(operation, facet, refuse)
    if side == "simulation":
        monkeypatch.setattr(Initializer, "sample", property(refuse), raising=False)
        for arithmetic in (Rounded, Scaled):
            monkeypatch.setattr(arithmetic, "product", refuse)
    else:
        for module in (moments, elementwise, tails):
            for name in {"second_moment", "mean", "cross_moment"} & set(vars(module)):
                monkeypatch.setattr(module, name, refuse)


@pytest.mark.parametrize("e", [PLAIN, CURVED, TIED, REAL, PLAIN.replace(init="lsuv")])
def test_simulation_never_asks_for_moments(monkeypatch, e):
    raising(monkeypatch, "theory")
    assert np.isfinite(propagate(e).stats.log2_rms[-1])
    assert np.isfinite(sample_ensemble(e, 3).log2_rms).all()
    assert "import torch" in to_script(e)
    if is_scale_free(e):
        assert np.isfinite(scale_free(e).log2_rms).all()
    with pytest.raises(AssertionError, match="the other side"):
        e.layer.moments(Moments(square=1.0))


# The law that is due -> an experiment.
LAWS = {
    "Exact for the rms": PLAIN,
    "approximate for": CURVED.replace(width=100),
    "one repeated Gaussian matrix": Experiment(width=24, depth=6),
    "an orthogonal matrix keeps": PLAIN.replace(init="orthogonal", batch_size=3),
    "approximate for tanh": PLAIN.replace(init="orthogonal", activation="tanh"),
    "Exact for the rms at": PLAIN.replace(activation="relu", scale=1e-3, number_format="float16"),
}


@pytest.mark.parametrize("law", LAWS)
def test_predictions_never_draw_nor_multiply(monkeypatch, law):
    raising(monkeypatch, "simulation")
    e = LAWS[law]
    prediction = predict(e)
    assert prediction.known and law in prediction.valid
    assert _windows(e)["float32"].low >= 0
    with pytest.raises(AssertionError, match="the other side"):
        draw_layer(e, 1, CPU, draw_input(e, CPU))


@pytest.mark.parametrize("name", ["relu", "tanh", "erf", "gelu"])
def test_infinite_width_never_draws_nor_multiplies(monkeypatch, name):
    raising(monkeypatch, "simulation")
    assert mf.length_map(name, 1.0, 1.2, 0.3) > 0
    for of_both in (mf.fixed_point, mf.fixed_points, mf.chi_1, mf.depth_scales):
        of_both(name, 1.2, 0.3)
    mf.correlation_map(name, 0.5, 1.2, 0.3), mf.stable_correlation(name, 1.2, 0.3)
    mf.edge_curve(name, 1.0)
    mf.edge_of_chaos(name, np.array([0.0, 0.05]))


def test_no_law_is_told_of_a_layer_that_the_laws_do_not_know():
    e = Experiment(width=24, depth=6, init="critical", weights="fresh", activation="relu")
    product, phi = e.layer
    vars(e)["layer"] = Layer((phi, product))
    assert not e.layer.is_plain
    assert not predict(e).known


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_moments_and_their_logarithms_are_the_same_map(activation):
    q = np.array([1e-6, 0.3, 1.0, 40.0, 1e6])
    layer = PLAIN.replace(activation=activation, bias_std=0.3, scale=1.7).layer
    square = layer.moments(Moments(square=q)).square
    for logs in (LN, LOG2):
        # A table in steps of 1/16 octave: interpolation errs by 1e-3 where φ bends most.
        np.testing.assert_allclose(layer.log_square(logs.of(q), logs), logs.of(square), atol=2e-3)


def test_what_is_not_asked_for_is_not_worked_out():
    assert CURVED.layer.moments(Moments(square=1.0)) == Moments(
        square=CURVED.layer.moments(Moments(square=1.0, mean=0.0)).square
    )


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_moments_are_those_of_wide_layers(activation):
    e = Experiment(width=4000, init="critical", activation=activation, bias_std=1.5, batch_size=2)
    x = draw_input(e, CPU)
    layer = e.layer
    wide = layer.forward(draw_layer(e, 1, CPU), x, Rounded(e.format)).double()
    seen = x.double()
    m = layer.moments(
        Moments(square=float((seen**2).mean()), mean=0.0, cross=float(seen.prod(1).mean()))
    )
    # 4000 units and two inputs: five standard errors of about (relative) √(5/4000), 3.5 %.
    assert float((wide**2).mean()) == pytest.approx(m.square, rel=0.18)
    assert float(wide.prod(1).mean()) == pytest.approx(m.cross, abs=0.18 * m.square)
    assert float(wide.mean()) == pytest.approx(float(m.mean), abs=5 * (m.square / 4000) ** 0.5)


def test_weights_that_are_fitted_anew_forget_the_size_of_their_input():
    layer = PLAIN.replace(init="lsuv", scale=0.5).layer
    m = layer.moments(Moments(square=np.array([1e-8, 1.0, 1e8]), cross=np.array([5e-9, 0.5, 5e7])))
    np.testing.assert_allclose(m.square, 0.25, rtol=1e-15)  # a division and a product
    np.testing.assert_allclose(m.cross, 0.125, rtol=1e-15)
    assert layer.log_square(np.zeros(2), LOG2).tolist() == [-2.0, -2.0]
    assert layer.moments(Moments(square=0.0)).square == 0
    with pytest.raises(ValueError, match="fitted to x; got None"):
        layer.moments(Moments(mean=0.0))


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_degree_is_a_degree(activation):
    phi = Elementwise(ACTIVATIONS[activation])
    x = torch.linspace(-3, 3, 101, dtype=torch.float64)
    stays = torch.allclose(phi.phi(7 * x), 7 * phi.phi(x), rtol=1e-12, atol=0)
    assert (phi.degree == 1) == stays


def test_scales_shift_a_layer_by_as_many_powers_as_there_are_products():
    assert shifts(PLAIN.layer, 4).tolist() == [0, 1, 2, 3, 4]
    assert shifts(PLAIN.replace(activation="abs").layer, 1).tolist() == [0, 1]
    for changes in ({"bias_std": 0.1}, {"activation": "tanh"}, {"init": "lsuv"}):
        layer = PLAIN.replace(**changes).layer
        assert layer.degree is None
        with pytest.raises(ValueError, match="do not separate"):
            shifts(layer, 3)


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_both_arithmetics_agree_where_nothing_overflows(activation, batch_size):
    e = PLAIN.replace(activation=activation, number_format="float64", batch_size=batch_size)
    rounded = draw_input(e, CPU)
    apart = ScaledNumbers.of(rounded.view(1, e.width, batch_size))
    for k in range(1, e.depth + 1):
        drawn = draw_layer(e, k, CPU)
        rounded = e.layer.forward(drawn, rounded, Rounded(e.format))
        apart = e.layer.forward(drawn, apart.near_one(), Scaled())
    true = apart.numbers * torch.exp2(apart.power)
    # float32 powers of two are exact; float64 rounds each layer, and relu_squared squares it.
    assert torch.allclose(true.view_as(rounded), rounded, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("e", [PLAIN, CURVED])
@pytest.mark.parametrize("name", NUMBER_FORMATS)
def test_a_layer_stores_the_same_with_a_place_or_without(e, name):
    e = e.replace(number_format=name)
    x, drawn = draw_input(e, CPU), draw_layer(e, 1, CPU)
    before, place = x.clone(), torch.empty_like(x)
    assert e.layer.forward(drawn, x, Rounded(e.format), place) is place
    alone = e.layer.forward(drawn, x, Rounded(e.format))
    assert alone.dtype == place.dtype == e.format.dtype
    assert torch.equal(alone.double(), place.double())
    assert torch.equal(x.double(), before.double())


def test_the_parts_of_a_layer():
    assert PLAIN.layer.is_one_product and PLAIN.layer.elementwise is IDENTITY
    assert [type(op) for op in CURVED.layer] == [Product, Bias, Elementwise]
    assert [type(op) for op in CURVED.layer.affine] == [Product, Bias]
    assert CURVED.layer.product.law == "gaussian"
    assert CURVED.layer.elementwise.slopes == pytest.approx((0.5, 0.5), abs=1e-9)
    assert Elementwise(ACTIVATIONS["sigmoid"]).slopes is None
    assert Elementwise(ACTIVATIONS["relu"]).slopes == (0, 1)
    assert Elementwise(ACTIVATIONS["tanh"]).infinite_sides == (False, False)


def test_a_product_known_by_sigma_w_alone_has_nothing_to_draw():
    with pytest.raises(ValueError, match="known by sigma_w alone"):
        Layer((Product(1.0),)).draw(torch.Generator(), Shape(3, 1, 1), None, Rounded(PLAIN.format))


def test_a_fit_without_data_names_its_initialiser():
    weights = Weights(INITIALIZERS["lsuv"], ACTIVATIONS["relu"], 1.0, 4, 4, True)
    on = Rounded(NUMBER_FORMATS["float32"])
    with pytest.raises(ValueError, match="lsuv is fitted to data: x is missing"):
        Product.of(weights).draw(torch.Generator(), Shape(4, 1, 2), None, on)


def test_a_layer_of_nothing_is_refused():
    with pytest.raises(ValueError, match="at least one operation"):
        Layer(())
    with pytest.raises(ValueError, match="hold a Product"):
        _ = Layer((IDENTITY,)).product
