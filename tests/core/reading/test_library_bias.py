"""nn.Linear's biases: their std, and what is told of a network without them."""

import re

import numpy as np
import pytest
import torch

from core import INITIALIZERS, Experiment, predict, propagate, to_script
from core.layer.operation import Moments
from core.question.naming import stop_name
from core.reading.library_bias import bias_note, lacks_bias
from core.theory.lengths import log2_rms

LINEAR = Experiment(init="torch_linear", activation="gelu", depth=50, weights="fresh")


@pytest.mark.parametrize("width", [16, 512])
def test_the_std_is_that_of_nn_linear(width):
    generator = torch.random.get_rng_state()
    drawn = torch.cat([torch.nn.Linear(width, width).bias.detach() for _ in range(400)])
    torch.random.set_rng_state(generator)
    usual = INITIALIZERS["torch_linear"].bias_std(width)
    assert usual == pytest.approx((3 * width) ** -0.5, rel=1e-15)
    # The std of N uniform numbers is off by 0.45/√N of itself.
    assert float(drawn.std()) == pytest.approx(usual, rel=4 * 0.45 / drawn.numel() ** 0.5)
    assert [name for name, rule in INITIALIZERS.items() if rule.bias_std] == ["torch_linear"]


def test_a_network_without_them_is_told_what_they_do():
    assert lacks_bias(LINEAR) and not lacks_bias(Experiment())
    told = bias_note(LINEAR)
    assert "nn.Linear also draws a bias of std 0.0255 (1/√(3n))." in told
    without, with_it = map(float, re.findall(r"(\d\.[\de.-]+) with", told))
    # 50 real nn.Linear(512, 512) with GELU: 0.0130 to 0.0139, and without biases 9.7e-28; a
    # network of this width differs by a factor of 1.5 from an infinitely wide one.
    assert with_it == pytest.approx(0.0134, rel=0.05)
    assert without == pytest.approx(9.7e-28, rel=0.5)
    biased = LINEAR.replace(bias_std=LINEAR.rule.bias_std(512))
    assert float(propagate(biased).stats.rms[-1]) == pytest.approx(with_it, rel=0.1)
    assert bias_note(biased).startswith("The biases here are normal")
    assert bias_note(LINEAR.replace(bias_std=0.3)) == bias_note(Experiment()) == ""


def test_law_and_script_follow():
    biased = LINEAR.replace(bias_std=LINEAR.rule.bias_std(512))
    law = predict(biased).log2_std_quantiles
    assert 2 ** law[0.05][-1] < float(propagate(biased).stats.std[-1]) < 2 ** law[0.95][-1]
    assert f"b = b * {biased.bias_std!r}" in to_script(biased)


def test_a_link_may_name_them_and_they_follow_the_width():
    for text in ("1/√(3n)", "1/sqrt(3n)"):
        for width in ("64", "512"):
            e, problems = Experiment.from_query({"bias_std": text, "width": width})
            assert problems == [] and e.bias_std == e.replace(init="torch_linear").rule.bias_std(
                e.width
            )
            assert stop_name(e, "bias_std") == "1/√(3n)"
            assert Experiment.from_query(e.to_query()) == (e, [])
    assert stop_name(Experiment(bias_std=0.0255), "bias_std") is None


@pytest.mark.parametrize("name", ["relu", "tanh", "silu"])
def test_the_lengths_of_a_layer_are_those_of_its_moments(name):
    layer = Experiment(activation=name, init="critical", scale=0.9, bias_std=0.1).layer
    moments, sizes = Moments(square=1.0), [0.0]
    for _ in range(30):
        moments = layer.moments(moments)
        sizes.append(0.5 * np.log2(float(moments.square)))
    # 2e-3: less than 1e-4 octaves a layer, from the interpolation of the table of moments.
    np.testing.assert_allclose(log2_rms(layer, 30), sizes, atol=2e-3)
