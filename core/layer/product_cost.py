"""The price of matrix products: memory and work of draws, products and what replaces them."""

from __future__ import annotations

from .number_formats import NumberFormat
from .operation import MICROSECOND, Cost, Shape
from .weights import Weights

# Microseconds: of a draw's calls; of one element of a matrix in a product with one vector and with
# several, more for each of these, and more where the matrix does not fit into a cache.
_DRAW, _DRAW_IN_NUMPY = 10.0, 0.0
_ELEMENT, _BESIDE_OTHERS, _PER_INPUT, _BEYOND_CACHE = 9e-5, 1.5e-3, 2e-5, 2.5e-4
_BESIDE_OTHERS_IN_NUMPY = 2.5e-4
_CACHED = 2**22  # elements of float32
# Of a layer and of an element, going back by the law: (orthogonal, several inputs).
_SAMPLED_BACK = {
    (False, False): (140.0, 0.006),
    (False, True): (270.0, 0.03),
    (True, False): (250.0, 0.04),
    (True, True): (330.0, 0.035),
}
_CONVERTING = 3.0  # matrices of float32 alive while one is converted into blocks
_FITTING_PRODUCTS = 3.0  # LSUV: one product for the std, one to check it, and the division of a


def cost(w: Weights, shape: Shape, number_format: NumberFormat) -> Cost:
    """Of a run: the matrices alive at once, in bytes; all products and draws, as work."""
    elements = float(w.fan_in) * w.fan_out
    item = number_format.bits // 8
    kept = elements * 4 * w.rule.peak_matrices
    if item != 4:
        kept += elements * (item + max(4, item))
    wide = number_format.sum_dtype.itemsize / 4  # float64 takes twice the time
    kept += elements * 4 * _CONVERTING * (number_format.multiplication.matrices - 1)
    products = shape.depth * wide * _product(w, shape, cached=_CACHED / wide)
    products += _converted(w, shape, number_format)
    return Cost(int(kept), products + w.draws(shape.depth) * _draw(w, shape))


def _converted(w: Weights, shape: Shape, number_format: NumberFormat) -> float:
    """The work of a multiplication beside that of wide products, on the way there or back."""
    by, elements = number_format.multiplication, float(w.fan_in) * w.fan_out
    once = w.draws(shape.depth) * by.per_matrix * elements
    each = by.per_element * elements * shape.inputs + by.per_column * w.fan_in + by.per_product
    return (once + shape.depth * each) * MICROSECOND


def backward_cost(w: Weights, shape: Shape, number_format: NumberFormat) -> Cost:
    """Of the way back of a run, beside `cost`."""
    several = 1 + (shape.inputs > 1)
    products = shape.depth * several * _product(w, shape)
    again = w.draws(shape.depth) if w.fresh else 0
    products += _converted(w, shape, number_format)
    return Cost(0, products + again * _draw(w, shape))


def _product(
    w: Weights, shape: Shape, several: float = _BESIDE_OTHERS, cached: float = _CACHED
) -> float:
    """The multiply-adds of one real product in float32, besides the call."""
    elements = float(w.fan_in) * w.fan_out
    each = _ELEMENT if shape.inputs == 1 else several + _PER_INPUT * shape.inputs
    beyond = _BEYOND_CACHE if elements > cached else 0.0
    return elements * (each + beyond) * MICROSECOND


def _draw(w: Weights, shape: Shape, calls: float = _DRAW) -> float:
    """The multiply-adds of drawing one matrix, and of fitting it."""
    cost = calls * MICROSECOND + w.rule.multiply_adds((w.fan_in * w.fan_out) ** 0.5)
    if w.rule.fit is not None:
        # A fitted bias takes one more product, for its mean.
        cost += (_FITTING_PRODUCTS + w.rule.fits_bias) * _product(w, shape)
    return cost


def _drawn_and_multiplied(w: Weights, shape: Shape, draws: int) -> float:
    """The multiply-adds of one network of real matrices, besides the calls."""
    products = shape.depth * _product(w, shape, _BESIDE_OTHERS_IN_NUMPY)
    return products + draws * _draw(w, shape, _DRAW_IN_NUMPY)


def sampled(w: Weights, shape: Shape, networks: int, *, real: bool) -> float:
    """The multiply-adds of all products of an ensemble's networks.

    Args:
        w: how a is drawn.
        shape: the size of the signal.
        networks: how many.
        real: whether matrices are drawn.
    """
    n, inputs, depth = float(max(w.fan_in, w.fan_out)), shape.inputs, shape.depth
    if real:
        one = _drawn_and_multiplied(w, shape, w.draws(depth))
        return 9 * MICROSECOND * depth + networks * one
    if not w.fresh:  # each vector meets, on average, half of the directions before it
        vectors = depth * inputs
        met = networks * n * (0.0136 + 2e-4 * vectors)
        return (76 + met) * vectors * MICROSECOND
    if inputs == 1:
        return 0.0
    frame = 0.0058 * n * inputs**2 if w.rule.law == "orthogonal" else 0.0
    each = 3 + 9e-4 * inputs**3 + 2e-4 * n * inputs**2 + frame  # the Gram matrix and its root
    return networks * each * depth * MICROSECOND


def sampled_back(w: Weights, shape: Shape, networks: int, *, real: bool) -> float:
    """The same on the way back."""
    inputs, depth = shape.inputs, shape.depth
    elements = float(networks) * max(w.fan_in, w.fan_out) * inputs
    if real:
        again = w.draws(depth) if w.fresh else 0
        one = _drawn_and_multiplied(w, shape, again)
        return 20 * MICROSECOND * depth + networks * one
    if not w.fresh:  # each vector meets all directions of the signal, and half of its own kind
        each = 1.3e-3 * depth * inputs
        return (180 * inputs + each * elements) * depth * MICROSECOND
    orthogonal, several = w.rule.law == "orthogonal", inputs > 1
    calls, each = _SAMPLED_BACK[orthogonal, several]
    each += 1.2e-3 * inputs if several else 0.0  # the inputs' Gram matrices
    return (calls + each * elements) * depth * MICROSECOND
