"""The way back through a branch that ends in a product: a @ φ(x) + b, or an mlp."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from . import slope_sums
from .block import LN_EPSILON, Block, Signal
from .block_draws import Draws
from .block_frame import Frame, Gradient
from .block_signal import Step
from .unit_moments import UnitMoments


def through_matrix(
    block: Block, step: Step, g: Gradient, frame: Frame, draws: Draws
) -> tuple[Gradient, float]:
    """The gradient in front of the branch, and the mean relative variance of its square.

    Args:
        block: the layer.
        step: what it did to the signal.
        g: the gradient behind the branch.
        frame: how g lies about x and the branch.
        draws: the random numbers.
    """
    entering, _ = step.x.normed(block.before)
    # aᵀδ in units of a's std: along φ, where the product a @ φ fixes it, and anywhere across.
    onto = g.along * frame.sine - frame.cosine * frame.chance
    if not block.skip:  # then the length of the branch is known
        onto = onto * np.exp((step.total.ln_variance - step.added_variance) / 2)
    onto = np.sqrt(step.share) * (np.sqrt(block.width) * onto + g.ones * draws.normal())
    onto = onto + np.sqrt((1 - step.share) * g.square) * draws.normal()
    scale = g.ln_scale + np.log(block.sigmas[-1])
    through = _through_hidden if block.branch == "mlp" else _through_phi
    found, own = through(block, step, entering, g.square, onto, scale, draws)
    return found.through_norm(block.before, step.x), own


def _through_phi(
    block: Block,
    step: Step,
    x: Signal,
    length: Array,
    onto: Array,
    scale: Array,
    draws: Draws,
) -> tuple[Gradient, float]:
    """The gradient in front of φ, from |δ|² and the part of aᵀδ along φ(x)."""
    n = block.width
    m = UnitMoments(block.activation, x.ln_square)
    factor, own = slope_sums.lifted(block, step, m, draws)
    if block.inside != "none":
        onto, scale = onto * np.exp(LN_EPSILON - step.ln_inside), scale - step.ln_inside / 2
    if block.before != "layer":
        factor = factor * np.maximum(1 + x.mean * m.d_tilt, 0.1)
    square = onto**2 * m.phi_square_dd + length * np.maximum(n * factor - m.phi_square_dd, 0)
    along, ones = _onto_h(m, step, length, onto, draws), onto * m.phi_d
    ones = ones + np.sqrt(np.maximum(1 - m.phi_d**2, 0) * length) * draws.normal()
    rest = np.maximum(square - along**2 - ones**2, 0) / n
    rest = rest * draws.chi_square_mean(n - 2)  # the length of normal numbers varies too
    scale = scale + m.ln_slope / 2
    return Gradient(scale, along / np.sqrt(n), ones / np.sqrt(n), rest), own


def _onto_h(m: UnitMoments, step: Step, length: Array, onto: Array, draws: Draws) -> Array:
    """√n times the component of φ′ ∘ aᵀδ along h, over √(E φ′²)."""
    known = m.z_phi_d * np.exp((step.deviation if step.deviation is not None else 0.0) / 2)
    chance = np.maximum(m.zd_square - m.z_phi_d**2, 0)
    return np.asarray(onto * known + np.sqrt(chance * length) * draws.normal())


def _through_hidden(
    block: Block,
    step: Step,
    x: Signal,
    length: Array,
    onto: Array,
    scale: Array,
    draws: Draws,
) -> tuple[Gradient, float]:
    """The gradient in front of a₁, from |δ|² and the part of a₂ᵀδ along φ."""
    n, units = block.width, block.hidden
    ln_v, share = block.after_product(x.ln_square)
    ln_v, ln_inside = block.inner(ln_v)
    m = UnitMoments(block.activation, ln_v)
    ln_inside = ln_inside + slope_sums.ln_length(block, draws)
    factor, own = slope_sums.lifted(block, step, m, draws)
    square = onto**2 * m.phi_square_dd + length * np.maximum(units * factor - m.phi_square_dd, 0)
    square, onto_h = square / units, _onto_h(m, step, length, onto, draws) / np.sqrt(units)
    if block.inside != "none":
        square = np.maximum(square - onto_h**2, 1e-300)
        onto_h = onto_h * np.exp(LN_EPSILON - ln_inside)
    onto_x = np.sqrt(units / n * share) * onto_h
    onto_x = onto_x + np.sqrt((1 - share) * square / n) * draws.normal()
    scale = scale + np.log(block.sigmas[0]) + (m.ln_slope - ln_inside) / 2
    return Gradient.around(x, scale, onto_x, square, n, draws), own
