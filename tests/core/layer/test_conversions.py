"""Conversions that torch lacks, bit by bit against ml_dtypes, torchao, NumPy and the processor."""

import ml_dtypes
import numpy as np
import pytest
import torch

from core import NUMBER_FORMATS
from core.layer.conversions import (
    flushed,
    in_mx,
    in_nvfp4,
    nearest,
    power_of_two,
    product_in_float16,
)

E2M1, E4M3, E5M2 = (1, 1.0, 6.0), (3, 2.0**-6, 448.0), (2, 2.0**-14, 57344.0)
ELEMENTS = {
    "e2m1": (E2M1, ml_dtypes.float4_e2m1fn),
    "e4m3": (E4M3, ml_dtypes.float8_e4m3fn),
    "e5m2": (E5M2, ml_dtypes.float8_e5m2),
}


def every_kind(count=200_000, seed=0):
    """float32 of random bits, so of every size, with Inf, NaN, zeros and subnormals among them."""
    bits = np.random.default_rng(seed).integers(0, 2**32, count, dtype=np.uint64)
    ends = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 2.0**-149, 3e38], np.float32)
    return np.concatenate([bits.astype(np.uint32).view(np.float32), ends])


def around(values):
    """Float32 numbers, all midpoints of neighbours, and what lies next to those on both sides."""
    values = np.unique(np.asarray(values, np.float64))
    middles = (values[1:] + values[:-1]) / 2
    places = np.concatenate([values, middles]).astype(np.float32)
    return np.concatenate([places, *(np.nextafter(places, np.float32(way)) for way in (-9e9, 9e9))])


def numbers_of(dtype):
    """All finite numbers of an ml_dtypes type of at most 8 bits."""
    bits = 4 if dtype == ml_dtypes.float4_e2m1fn else 8
    values = np.arange(2**bits, dtype=np.uint8).view(dtype).astype(np.float64)
    return values[np.isfinite(values)]


def same(found, wanted):
    np.testing.assert_array_equal(np.asarray(found, np.float32), np.asarray(wanted, np.float32))


def quietly(x, dtype):
    """A cast by ml_dtypes or NumPy, and back to float32."""
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return x.astype(dtype).astype(np.float32)


@pytest.mark.parametrize("value", [448.0, 449.0, 463.9, 464.0])
def test_e4m3fn_rounds_up_to_464_down_to_448_in_both_conventions(value):
    for name in ("float8_e4m3fn", "float8_e4m3fn_nan"):
        assert NUMBER_FORMATS[name].cast(torch.tensor([value, -value])).tolist() == [448, -448]


@pytest.mark.parametrize("value", [np.nextafter(np.float32(464), 999), 465.0, 480, 1e30, np.inf])
def test_e4m3fn_beyond_464_is_448_or_nan_by_convention(value):
    x = torch.tensor([float(value), -float(value)])
    assert NUMBER_FORMATS["float8_e4m3fn"].cast(x).tolist() == [448, -448]
    assert NUMBER_FORMATS["float8_e4m3fn_nan"].cast(x).isnan().all()


def test_both_conventions_of_e4m3fn_have_the_bits_of_ml_dtypes():
    x = np.concatenate([every_kind(), around([*numbers_of(ml_dtypes.float8_e4m3fn), 480, -480])])
    wanted = quietly(x, ml_dtypes.float8_e4m3fn)  # ml_dtypes does not saturate
    own = NUMBER_FORMATS["float8_e4m3fn_nan"].cast(torch.from_numpy(x)).float()
    same(own, wanted)
    held = np.where(np.isnan(wanted) & ~np.isnan(x), np.copysign(448, x), wanted)
    same(NUMBER_FORMATS["float8_e4m3fn"].cast(torch.from_numpy(x)).float(), held)


@pytest.mark.parametrize(
    ("name", "dtype", "least"),
    [
        ("float32_flushed", np.float32, 2.0**-126),
        ("bfloat16_flushed", ml_dtypes.bfloat16, 2.0**-126),
        ("float16_flushed", np.float16, 2.0**-14),
    ],
)
def test_subnormal_numbers_become_zeros_of_their_sign_after_rounding(name, dtype, least):
    entry = NUMBER_FORMATS[name]
    edge = least * (1 - entry.epsilon / 2)  # rounds up to the smallest normal number
    x = np.concatenate([every_kind(), around([-least, least, 0.0]), [np.float32(edge)]])
    rounded = quietly(x, dtype)
    wanted = np.where(np.abs(rounded) < np.float32(least), np.copysign(0, x), rounded)
    found = entry.cast(torch.from_numpy(x)).float().numpy()
    same(found, wanted)
    known = ~np.isnan(x)
    np.testing.assert_array_equal(np.signbit(found[known]), np.signbit(x[known]))


def test_flushing_is_that_of_the_processor():
    x = torch.from_numpy(every_kind())
    x = x[x.abs() >= 2.0**-126]  # the processor takes a subnormal operand for zero too
    wanted = flushed(x * 0.25)
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor does not flush")
    try:
        found = x * 0.25
    finally:
        torch.set_flush_denormal(False)
    same(found, wanted)


@pytest.mark.parametrize("name", ELEMENTS)
def test_elements_are_rounded_as_by_ml_dtypes_and_saturate(name):
    element, dtype = ELEMENTS[name]
    top = element[2]
    x = np.concatenate([every_kind(), around(numbers_of(dtype))])
    x = x[np.isfinite(x)]
    same(nearest(torch.from_numpy(x), *element), quietly(np.clip(x, -top, top), dtype))


def test_a_power_of_two_is_that_of_frexp():
    x = np.abs(every_kind())
    x = x[np.isfinite(x) & (x >= 2.0**-126)]
    same(power_of_two(torch.from_numpy(x)), np.ldexp(1.0, np.frexp(x)[1] - 1))


def mx_by_hand(block, name):
    """A block of an MX format, by the specification, with ml_dtypes' scale and elements."""
    (_, _, top), dtype = ELEMENTS[name]
    largest = np.abs(block).max()
    if not np.isfinite(largest):
        return np.full_like(block, np.nan)
    exponent = -127.0 if largest == 0 else np.floor(np.log2(np.float64(largest)))
    exponent = max(exponent - np.floor(np.log2(top)), -127.0)
    scale = np.array([2.0**exponent]).astype(ml_dtypes.float8_e8m0fnu).astype(np.float64)
    inside = np.clip(block / scale, -top, top).astype(np.float32)
    return inside.astype(dtype).astype(np.float64) * scale


def blocks_of_all_sizes(count, size):
    """Blocks whose sizes lie anywhere in the range of bfloat16, one of zeros among them."""
    drawn = np.random.default_rng(5)
    x = drawn.standard_normal((count, size)) * 2.0 ** drawn.uniform(-130, 120, (count, 1))
    x *= 2.0 ** drawn.uniform(-6, 0, (count, size))
    x[0] = 0
    return torch.from_numpy(x).to(torch.bfloat16).float()


@pytest.mark.parametrize("name", ELEMENTS)
def test_mx_blocks_are_those_of_the_specification(name):
    x = blocks_of_all_sizes(500, 32)
    x[1, 3], x[2, 4] = torch.inf, torch.nan
    found = in_mx(x, 1, *ELEMENTS[name][0])
    same(found, [mx_by_hand(block, name) for block in x.double().numpy()])


@pytest.mark.parametrize("largest", [4.0, 5.0, 6.0, 7.5, 7.99])
def test_a_block_of_e2m1_with_a_maximum_from_4_to_8_has_the_scale_1(largest):
    x = torch.full((32,), 0.3)
    x[7], x[8], x[9] = largest, 2.5, -0.75
    found = in_mx(x, 0, *E2M1)
    # By scale 1 the maximum is held at 6; 2.5 and 0.75 are ties, and 0.3 rounds to 0.5.
    assert found[7] == (4.0 if largest <= 5 else 6.0)  # 5 is a tie, and goes to the even 4
    assert (found[8], found[9], found[0]) == (2.0, -1.0, 0.5)
    assert torch.equal(in_mx(2 * x, 0, *E2M1), 2 * found)


@pytest.mark.parametrize("axis", [0, 1])
def test_blocks_lie_along_the_axis_and_the_last_one_may_be_shorter(axis):
    x = torch.randn(70, 45, generator=torch.Generator().manual_seed(1))
    rows = x if axis else x.T
    padded = np.zeros((len(rows), -(-rows.shape[1] // 32) * 32))
    padded[:, : rows.shape[1]] = rows
    wanted = [[mx_by_hand(b, "e4m3") for b in row.reshape(-1, 32)] for row in padded]
    wanted = np.reshape(wanted, padded.shape)[:, : rows.shape[1]]
    found = in_mx(x, axis, *E4M3)
    same(found, wanted if axis else wanted.T)
    assert found.is_contiguous() and found.shape == x.shape


def nvfp4_by_hand(x):
    """A matrix in NVFP4 along its rows, with ml_dtypes' scales and elements, in float32 steps."""
    one = np.float32
    largest = np.abs(x).max()
    unit = max(one(largest) / one(6 * 448), one(2.0**-126))
    found = np.zeros_like(x)
    for row, column in np.ndindex(x.shape[0], x.shape[1] // 16):
        at = row, slice(16 * column, 16 * column + 16)
        ratio = one(np.abs(x[at]).max()) / one(6) / unit
        scale = one(np.clip(ratio, 0, 448).astype(ml_dtypes.float8_e4m3fn)) * unit
        if scale:
            inside = np.clip(x[at] / scale, -6, 6)
            found[at] = inside.astype(ml_dtypes.float4_e2m1fn).astype(one) * scale
    return found


def test_nvfp4_is_that_of_its_recipe():
    drawn = np.random.default_rng(3)
    for spread in (0, 4, 25):  # octaves; at 25 some blocks have the scale 0
        x = drawn.standard_normal((60, 64)) * 2.0 ** drawn.uniform(-spread, 0, (60, 64))
        x = (x * np.repeat(2.0 ** drawn.uniform(-spread, 0, (60, 4)), 16, axis=1)).astype("f4")
        same(in_nvfp4(torch.from_numpy(x), 1), nvfp4_by_hand(x))


def test_the_scale_of_an_nvfp4_block_is_its_maximum_over_6():
    x = torch.zeros(2, 16)
    x[0, :4] = torch.tensor([12.0, 6.0, 3.0, 1.0])  # the largest of the tensor: scale 2 exactly
    x[1, :3] = torch.tensor([6.0, 4.0, 0.5])  # scale 1
    assert torch.equal(in_nvfp4(x, 1), x)


def test_nvfp4_of_zeros_is_zero_and_of_inf_is_nan():
    assert torch.equal(in_nvfp4(torch.zeros(3, 16), 1), torch.zeros(3, 16))
    x = torch.ones(3, 16)
    x[1, 1] = torch.inf
    assert in_nvfp4(x, 1).isnan().all()


@pytest.fixture(scope="module")
def torchao():
    return pytest.importorskip("torchao.prototype.mx_formats")


@pytest.mark.parametrize("name", ELEMENTS)
def test_mx_blocks_are_those_of_torchao(torchao, name):
    from torchao.prototype.mx_formats.mx_tensor import to_dtype, to_mx

    kind = {"e2m1": torch.float4_e2m1fn_x2, "e4m3": torch.float8_e4m3fn, "e5m2": torch.float8_e5m2}
    x = blocks_of_all_sizes(500, 32)
    # torchao takes a scale of 2⁻¹²⁷, which is subnormal in float32, for 2⁻¹²⁶.
    x = x[x.abs().amax(1) > 2.0**-110]
    scale, data = to_mx(x, kind[name], 32)
    wanted = to_dtype(data, scale, kind[name], 32, torch.float32)
    same(in_mx(x, 1, *ELEMENTS[name][0]), wanted)


def test_nvfp4_scales_and_elements_are_those_of_torchao(torchao):
    from torchao.prototype.mx_formats.kernels import f4_unpacked_to_f32, unpack_uint4
    from torchao.prototype.mx_formats.nvfp4_tensor import nvfp4_quantize

    x = torch.randn(64, 128, generator=torch.Generator().manual_seed(2))
    unit = x.abs().max() / (6 * 448)
    scales, data = nvfp4_quantize(x, 16, unit)
    elements = f4_unpacked_to_f32(unpack_uint4(data)).view(64, -1, 16)
    wanted = (elements * (scales.float() * unit).view(64, -1, 1)).view(64, 128)
    same(in_nvfp4(x, 1), wanted)


def summed_by_hand(terms):
    """A sum that NumPy rounds to float16 after every 16 terms, which it adds in float32."""
    total = np.float16(0)
    for k in range(0, len(terms), 16):
        block = terms[k : k + 16].astype(np.float32).sum(dtype=np.float32)
        total = np.float16(np.float32(total) + block)
    return total


def test_2048_and_1_are_2048_in_float16():
    a = torch.zeros(1, 40)
    a[0, 0], a[0, 16], a[0, 32] = 2048, 1, 1
    assert product_in_float16(a, torch.ones(40)).tolist() == [2048]
    a[0, 0] = 2046
    assert product_in_float16(a, torch.ones(40)).tolist() == [2048]


def test_a_sum_of_ones_stops_where_a_block_is_half_an_ulp():
    """16 terms at a time stop at 2¹⁵, where the gap is 32; in float32 the sum is 40000."""
    assert product_in_float16(torch.ones(1, 40_000), torch.ones(40_000)).tolist() == [2.0**15]


def test_sums_in_float16_have_the_bits_of_a_plain_loop():
    """Small whole numbers: float32 adds them exactly in any order, so only float16 rounds."""
    drawn = np.random.default_rng(0)
    a = drawn.integers(-30, 31, (50, 300)).astype(np.float32)
    x = drawn.integers(0, 31, (300, 3)).astype(np.float32)
    wanted = [[summed_by_hand(row * column) for column in x.T] for row in a]
    found = product_in_float16(torch.from_numpy(a), torch.from_numpy(x))
    assert found.dtype == torch.float16
    same(found.float(), wanted)
    assert (np.asarray(wanted, np.float32) != a @ x).any()  # the rounding matters
    same(
        product_in_float16(torch.from_numpy(a), torch.from_numpy(x[:, 0])).float(),
        np.asarray(wanted)[:, 0],
    )


def test_sums_in_float16_of_normal_numbers_are_those_of_the_loop_but_for_ties():
    """The order of 16 terms in float32 is the processor's: it moves a tie in 2¹³ roundings."""
    drawn = np.random.default_rng(1)
    a = drawn.standard_normal((200, 256)).astype(np.float16).astype(np.float32)
    x = drawn.standard_normal(256).astype(np.float16).astype(np.float32)
    wanted = np.array([summed_by_hand(row * x) for row in a], np.float32)
    found = product_in_float16(torch.from_numpy(a), torch.from_numpy(x)).float().numpy()
    assert (found != wanted).mean() < 0.05
    np.testing.assert_allclose(found, wanted, atol=2 * 2.0**-10 * 32)  # an ulp of sums below 64
