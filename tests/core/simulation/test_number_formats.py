"""Runs in number formats with conventions of their own, layer by layer against NumPy."""

import ml_dtypes
import numpy as np
import pytest
import torch

from core import NUMBER_FORMATS, Experiment, backpropagate, propagate
from core.layer.multiplication import BlockScaled
from core.layer.number_formats import FORMAT_FAMILIES
from core.simulation.propagate import draw_input, draw_layer, draw_output_gradient
from tests.core.experiments import CPU
from tests.core.layer.test_conversions import ELEMENTS, mx_by_hand, nvfp4_by_hand

BLOCKS = FORMAT_FAMILIES["block-scaled"][1:]
E = Experiment(width=50, depth=2, weights="fresh", init="critical", loss_scale=4.0)


def in_blocks(rows, name):
    """A matrix as a format holds it along its rows, by hand."""
    size = NUMBER_FORMATS[name].multiplication.block
    padded = np.zeros((len(rows), -(-rows.shape[1] // size) * size), np.float32)
    padded[:, : rows.shape[1]] = rows
    if name == "nvfp4":
        held = nvfp4_by_hand(padded)
    else:
        element = name.removeprefix("mxfp8_").removeprefix("mxfp4_")
        held = [[mx_by_hand(b, element) for b in row.reshape(-1, size)] for row in padded]
        held = np.reshape(held, padded.shape)
    return held[:, : rows.shape[1]].astype(np.float64)


def stored(h):
    """In bfloat16, and back in float32."""
    return h.astype(np.float32).astype(ml_dtypes.bfloat16).astype(np.float32)


def matrix(e, k):
    return draw_layer(e, k, CPU)[0].numpy()


@pytest.mark.parametrize("inputs", [1, 3])
@pytest.mark.parametrize("name", BLOCKS)
def test_both_operands_are_held_in_blocks_along_the_axis_of_the_sum(name, inputs):
    e = E.replace(number_format=name, batch_size=inputs)
    x = draw_input(e, CPU).float().numpy().reshape(e.width, inputs)
    for k in (1, 2):  # blocks of a along its rows, of x along its column
        x = stored(in_blocks(matrix(e, k), name) @ in_blocks(x.T, name).T)
    g = draw_output_gradient(e, CPU).float().numpy().reshape(e.width, inputs)
    for k in (2, 1):  # and of aᵀ along its rows, which are the columns of a
        g = stored(in_blocks(matrix(e, k).T, name) @ in_blocks(g.T, name).T)
    back = backpropagate(e)
    # The hand's sums are in float64: a sum in float32 may lie on the other side of a tie of
    # bfloat16, whose ulp is 2⁻⁷; what follows then differs by as much, in a few elements.
    for found, wanted in ((back.run.final, x), (back.final, g)):
        found = found.reshape(e.width, inputs)
        assert (found != wanted).mean() < 0.1
        np.testing.assert_allclose(found, wanted, rtol=2.0**-7, atol=2.0**-7)


@pytest.mark.parametrize("name", BLOCKS)
def test_the_way_back_does_not_multiply_by_the_transpose_of_the_way_there(name):
    by = NUMBER_FORMATS[name].multiplication
    assert isinstance(by, BlockScaled)
    a = torch.randn(64, 64, generator=torch.Generator().manual_seed(4))
    a[:, 5] *= 1000  # one large column spoils every block of a row, and no other column
    one = torch.eye(64)
    there, back = by.product(a, one, by_rows=False), by.transposed(a, one, by_rows=False)
    lost_there, lost_back = ((each - a).abs() / a.abs() for each in (there, back.T))
    others = torch.arange(64) != 5
    near = others & (torch.arange(64) < by.block)  # in the block of the large column
    # Half the gap of e2m1 is an eighth of a number, or more for the small ones of a block.
    assert lost_back[:, others].median() < 0.15
    if name.startswith(("mxfp4", "nvfp4")):  # 6 numbers, all far above these elements
        assert (lost_there[:, near] == 1).float().mean() > 0.9
    assert torch.equal(there, by._convert(a, 1)) and torch.equal(back.T, by._convert(a, 0))


def test_a_matrix_is_converted_once_and_let_go_with_its_run(monkeypatch):
    by = NUMBER_FORMATS["mxfp4_e2m1"].multiplication
    asked, convert = [], by._convert
    monkeypatch.setattr(by, "_convert", lambda x, axis: asked.append(x.dim()) or convert(x, axis))
    backpropagate(E.replace(weights="tied", depth=9, number_format="mxfp4_e2m1"))
    assert asked.count(2) == 2 and asked.count(1) == 18  # one for each way, and every vector
    assert len(by._known) == 0


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "float16"])
def test_a_flushing_run_has_no_subnormal_number_and_else_that_of_its_format(kind):
    scale = {"float32": 1e-3, "bfloat16": 1e-3, "float16": 0.05}[kind]
    plain = Experiment(width=64, depth=40, number_format=kind, scale=scale)
    run, flushing = propagate(plain), propagate(plain.replace(number_format=f"{kind}_flushed"))
    assert run.stats.subnormal.any() and not flushing.stats.subnormal.any()
    assert flushing.events.all_zero < run.events.all_zero
    first = int(np.flatnonzero(flushing.stats.zero)[0])
    # float16 flushes one weight in a thousand too, which are the smallest by far.
    rtol = 1e-3 if kind == "float16" else 0
    np.testing.assert_allclose(run.stats.rms[:first], flushing.stats.rms[:first], rtol=rtol)
    # The first layer that lost numbers: those that the format holds as subnormal ones.
    lost = run.stats.subnormal[first] + run.stats.zero[first]
    assert flushing.stats.zero[first] == pytest.approx(lost, abs=1 / 64 if rtol else 1e-12)


def test_a_number_beyond_448_ends_a_run_at_once_where_the_conversion_gives_nan():
    e = Experiment(width=64, depth=30, number_format="float8_e4m3fn_nan")
    run, held = propagate(e), propagate(e.replace(number_format="float8_e4m3fn"))
    first = run.events.first_nonfinite
    assert first == run.events.first_nan == np.flatnonzero(held.stats.saturated)[0] - 1
    np.testing.assert_array_equal(run.stats.rms[: first + 1], held.stats.rms[: first + 1])
    assert held.events.first_nan is None and run.stats.nan[-1] == 1


def test_sums_in_float16_lose_more_than_sums_in_float32():
    e = Experiment(width=4096, depth=1)
    exact = propagate(e.replace(number_format="float64")).final
    errors = [
        np.abs(propagate(e.replace(number_format=name)).final - exact).mean()
        for name in ("float16", "float16_float16_sums")
    ]
    # 256 roundings of growing sums instead of one: √(256/2) times the error, about.
    assert 5 < errors[1] / errors[0] < 20


def test_every_element_of_a_block_format_is_known():
    assert {name.split("_")[1] for name in BLOCKS if "_" in name} == set(ELEMENTS)
