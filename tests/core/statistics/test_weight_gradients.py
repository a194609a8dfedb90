"""Gradients of weights, against the elements themselves."""

import numpy as np
import pytest
import torch

from core import NUMBER_FORMATS
from core.statistics.weight_gradients import Factor, Sum, outer, product

BFLOAT16 = NUMBER_FORMATS["bfloat16"]


def by_element(elements, number_format):
    """The three numbers of a matrix: from its elements in float64."""
    largest = np.abs(elements).max()
    log2_rms = np.log2(np.sqrt(np.mean((elements / largest) ** 2)) * largest)
    zero = np.mean(np.abs(elements) <= number_format.rounds_to_zero_below)
    broken = np.mean(~(np.abs(elements) < number_format.overflows_from))
    return log2_rms, zero, 0.0 if number_format.saturates else broken


def factors(seed, *shape, octaves=60):
    """g and x whose magnitudes lie up to ``octaves`` apart, with zeros among them."""
    drawn = np.random.default_rng(seed)
    for _ in range(2):
        values = drawn.standard_normal(shape) * 2.0 ** drawn.uniform(-octaves, octaves, shape)
        yield torch.from_numpy(np.where(drawn.random(shape) < 0.1, 0.0, values))


def octaves_of(entry):
    """So many that products leave the range of the format at both ends; of float64 they do not."""
    return 90 if entry.dtype in (torch.bfloat16, torch.float32) else 60


@pytest.mark.parametrize("name", sorted(NUMBER_FORMATS))
def test_the_three_numbers_are_those_of_the_elements(name):
    entry = NUMBER_FORMATS[name]
    g, x = factors(0, 7, 30, octaves=octaves_of(entry))
    found = outer(Factor(g), Factor(x), entry)
    for k in range(7):
        wanted = by_element(np.outer(g[k], x[k]), entry)
        np.testing.assert_allclose(found[:, k], wanted, rtol=1e-12)
    if name != "float64":
        planted = [np.mean(np.outer(g[k], x[k]) == 0) for k in range(7)]
        assert found[1].sum() > sum(planted) and (found[2] > 0).any() != entry.saturates
    total = Sum(entry)
    for part in (slice(0, 3), slice(3, 7)):
        total.add(Factor(g[part]), Factor(x[part]))
    wanted = by_element(np.einsum("ki,kj->ij", g, x), entry)
    np.testing.assert_allclose([*total.measured().values()], wanted, rtol=1e-9)


def test_the_inputs_of_a_batch_are_summed():
    g, x = factors(1, 1, 30, 4)
    wanted = by_element(np.einsum("kib,kjb->ij", g, x), BFLOAT16)
    np.testing.assert_allclose(product(Factor(g), Factor(x), BFLOAT16)[:, 0], wanted, rtol=1e-9)


def test_a_small_element_beside_a_large_one_is_not_taken_for_zero():
    """2^80 and 2^-130 are both numbers of bfloat16; their ratio is beyond float32."""
    g, x = torch.tensor([[2.0**40, 2.0**-100]]), torch.tensor([[2.0**40, 2.0**-30]])
    total = Sum(BFLOAT16)
    total.add(Factor(g), Factor(x))
    assert total.measured() == {"log2_rms": pytest.approx(79.0), "zero": 0.0, "nonfinite": 0.0}


def test_zeros_and_what_broke_are_counted_in_one_sum():
    g = torch.tensor([[0.0, 1.0, torch.inf]])
    x = torch.tensor([[1.0, 2.0, 3.0]])
    total = Sum(BFLOAT16)
    total.add(Factor(g), Factor(x))
    found = total.measured()
    assert (found["zero"], found["nonfinite"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    np.testing.assert_allclose(outer(Factor(g), Factor(x), BFLOAT16)[1:, 0], [1 / 3, 1 / 3])


def test_layers_of_zeros_say_nothing_of_the_size_of_the_others():
    """δ of a float64 network that vanishes is zero in the last layers and near 2^−700 before."""
    g = torch.zeros(3, 5, dtype=torch.float64)
    g[1] = 2.0**-700
    x = torch.full((3, 5), 2.0**-700, dtype=torch.float64)
    wanted = {"log2_rms": pytest.approx(-1400.0), "zero": 1.0, "nonfinite": 0.0}
    at_once, one_by_one = Sum(NUMBER_FORMATS["float64"]), Sum(NUMBER_FORMATS["float64"])
    at_once.add(Factor(g), Factor(x))
    for k in range(3):
        one_by_one.add(Factor(g[k : k + 1]), Factor(x[k : k + 1]))
    assert at_once.measured() == one_by_one.measured() == wanted


def test_the_layers_of_a_batch_are_added_up_as_they_are_measured():
    g, x = factors(2, 3, 20, 4)
    total, again = Sum(BFLOAT16), Sum(BFLOAT16)
    for k in range(3):
        product(Factor(g[k : k + 1]), Factor(x[k : k + 1]), BFLOAT16, into=total)
        again.add(Factor(g[k : k + 1]), Factor(x[k : k + 1]))
    assert total.measured() == pytest.approx(again.measured(), rel=1e-12)


def test_of_nothing_the_sum_is_a_zero():
    assert Sum(BFLOAT16).measured() == {"log2_rms": -np.inf, "zero": 1.0, "nonfinite": 0.0}
