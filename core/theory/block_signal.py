"""The sizes of a signal in many networks of blocks, sampled by scalars and not by vectors.

Given the mean and the variance of x over units, the next ones follow up to O(1/n): the units of a
branch φ(a @ x + b) are independent, and their sums are normal; those of a branch that ends in a
product are independent normal numbers, whose variance follows from the mean square of what enters
the product. A layer costs a few numbers per network.

Reference: Hanin & Nica 2018, arXiv:1812.05994; Yang & Schoenholz 2017, arXiv:1712.08969.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..maths.arrays import Array
from .block import LN_EPSILON, Block, Signal
from .block_draws import Draws
from .unit_moments import UnitMoments


@dataclass(frozen=True)
class Step:
    """The signal in front of, inside and behind one layer, kept for the way back.

    Attributes:
        x: the layer's input.
        total: the sum x + α·f, before a norm behind it.
        output: the layer's output.
        added_variance: ln of the variance of α·f over units.
        added_kurtosis: of a unit of f.
        deviation: ln of the mean square of φ over its expectation; None where it is not known.
        chance: the part of it that the mean of x does not explain.
        ln_output, share: ln of the variance of f, and the part of the product in it, where f ends
            in a product.
        ln_inside: ln of s² of a norm between φ and a product.
        rough: the mean relative variance of what was taken as lognormal.
    """

    x: Signal
    total: Signal
    output: Signal
    added_variance: Array
    added_kurtosis: Array | float
    deviation: Array | None
    chance: Array | None
    ln_output: Array
    share: Array
    ln_inside: Array
    rough: float


def moved(block: Block, x: Signal, draws: Draws) -> Step:
    """One layer on.

    Args:
        block: the layer.
        x: its input.
        draws: the random numbers.
    """
    entering, _ = x.normed(block.before)
    step = _units_added if block.branch == "product" else _normal_added
    return step(block, x, entering, draws)


def _units_added(block: Block, x: Signal, entering: Signal, draws: Draws) -> Step:
    """x + α φ(h) with independent h."""
    n = block.width
    ln_v, _ = block.inner(block.after_product(entering.ln_square)[0])
    m = UnitMoments(block.activation, ln_v)
    ln_square = m.ln_square - m.bend / n * (block.inside != "none")
    ln_scale, own, added = _units(block, x, block.ln_factor + ln_square / 2)
    spread, kurtosis, along = _of_sums(block, m)
    first, second = draws.normal(), draws.normal()
    mean = own * x.mean + added * (m.mean + np.sqrt(spread / n) * first)
    middle = own**2 * x.variance + added**2 * m.variance * (1 - 1 / n)
    middle = np.maximum(middle, 1e-300)
    crossed = 2 * own * added * np.sqrt(x.variance * m.variance / n) / middle
    apart = added**2 * m.variance * np.sqrt(kurtosis / n) / middle
    third = along * first + np.sqrt(1 - along**2) * second
    ln_spread = np.log1p(crossed**2 + apart**2)
    part = np.sqrt(np.maximum(crossed**2 + apart**2, 1e-300))
    score = (crossed * draws.normal() + apart * third) / part
    variance = middle * np.exp(np.sqrt(ln_spread) * score - ln_spread / 2)
    total = Signal.scaled(ln_scale, mean, variance)
    ln_added = 2 * block.ln_factor + ln_square
    deviation = None if block.skip else total.ln_square - ln_added
    return Step(
        x,
        total,
        total.normed(block.after)[0],
        ln_added + np.log(m.variance),
        m.kurtosis,
        deviation,
        deviation,
        ln_added,
        ln_added,
        ln_added,
        float(np.mean(ln_spread)),
    )


def _of_sums(block: Block, m: UnitMoments) -> tuple[Array, Array, Array]:
    """n times the variances of the mean of φ, over E φ², and of the variance of φ, relative; and
    their correlation.
    """
    spread, kurtosis = m.variance, m.kurtosis - 1
    both = m.skewness * np.sqrt(m.variance)
    if block.inside != "none":  # h has a fixed length, and no mean behind a layer norm
        spread = spread - m.mean_by_square**2 / 2
        kurtosis = kurtosis - m.spread_by_square**2 / 2
        both = both - m.mean_by_square * m.spread_by_square / 2
    if block.inside == "layer":
        spread = spread - m.mean_by_h**2
        kurtosis = kurtosis - m.spread_by_h**2
        both = both - m.mean_by_h * m.spread_by_h
    spread, kurtosis = np.maximum(spread, 0), np.maximum(kurtosis, 0)
    most = np.maximum(np.sqrt(spread * kurtosis), 1e-150)
    return spread, kurtosis, np.clip(both / most, -1, 1)


def _units(block: Block, x: Signal, ln_added: Array) -> tuple[Array, Array, Array]:
    """ln of a scale, and in its units √p of what is kept of x, and of what is added."""
    ln_own = x.ln_square / 2 if block.skip else np.full_like(x.ln_square, -np.inf)
    ln_scale = np.maximum(ln_own, ln_added)
    return ln_scale, np.exp(ln_own - ln_scale), np.exp(ln_added - ln_scale)


def _normal_added(block: Block, x: Signal, entering: Signal, draws: Draws) -> Step:
    """x + α f with f ~ N(0, v) independent of x: exact, given v."""
    n = block.width
    ln_expected, deviation, chance, rough = _before_matrix(block, entering, draws)
    ln_square = ln_expected + deviation
    ln_inside = np.zeros_like(ln_square)
    if block.branch == "preactivation" and block.inside != "none":
        ln_inside = np.logaddexp(ln_square, LN_EPSILON)
    ln_v, share = block.after_product(ln_square - ln_inside, -1)
    ln_scale, own, added = _units(block, x, block.ln_factor + ln_v / 2)
    first, second = draws.normal(), draws.normal()
    mean = own * x.mean + added * first / np.sqrt(n)
    rest = draws.chi_square_mean(n - 2) * max(n - 2, 0)
    across = 2 * own * added * np.sqrt(x.variance / n) * second
    variance = own**2 * x.variance + across + added**2 * (second**2 + rest) / n
    total = Signal.scaled(ln_scale, mean, np.maximum(variance, 0.0))
    behind = total.normed(block.after)[0]
    ln_added = 2 * block.ln_factor + ln_v
    return Step(x, total, behind, ln_added, 3.0, deviation, chance, ln_v, share, ln_inside, rough)


def _before_matrix(
    block: Block, entering: Signal, draws: Draws
) -> tuple[Array, Array, Array, float]:
    """ln of the expected mean square of φ in front of the last product, or of its variance where a
    layer norm follows; by how much ln of it deviates; the part of this that the mean of x does not
    explain; and its relative variance.
    """
    is_mlp = block.branch == "mlp"
    ln_h = entering.ln_square
    if is_mlp:
        ln_h = block.inner(block.after_product(ln_h)[0])[0]
    m = UnitMoments(block.activation, ln_h)
    fixed = not is_mlp or block.inside != "none"
    spread = m.fourth - 1 - 2 * m.power**2 * fixed - m.tilt**2 * block.is_centred
    spread = np.maximum(spread, 0) / block.hidden
    ln_spread = np.log1p(spread)
    chance = deviation = np.sqrt(ln_spread) * draws.normal() - ln_spread / 2
    if not is_mlp and block.before != "layer":
        deviation = chance + entering.mean * m.tilt - m.tilt**2 / block.width / 2
    ln_square = m.ln_square - m.bend / block.hidden * fixed
    if not is_mlp and block.inside == "layer":
        ln_square = ln_square + np.log(m.variance)
    return ln_square, deviation, chance, float(np.mean(spread))
