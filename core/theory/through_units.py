"""The way back through a branch φ(a @ x + b), whose units are independent."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from . import slope_sums
from .block import LN_EPSILON, Block
from .block_draws import Draws
from .block_frame import Frame, Gradient
from .block_signal import Step
from .unit_moments import UnitMoments


def through_units(
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
    ln_v, share = block.after_product(entering.ln_square)
    ln_v, ln_inside = block.inner(ln_v)
    m = UnitMoments(block.activation, ln_v)
    ln_inside = ln_inside + slope_sums.ln_length(block, draws)
    # (h ∘ φ′)·δ over √(n v E φ′²): along the centred φ, along ones, and by chance.
    onto_phi = (m.z_phi_d - m.mean * m.zd) / np.sqrt(m.variance)
    if step.deviation is not None:
        onto_phi = onto_phi * np.exp(step.deviation / 2)
    onto_h = onto_phi * (g.along * frame.sine - frame.cosine * frame.chance) + m.zd * g.ones
    free = np.maximum(m.zd_square - m.zd**2 - onto_phi**2, 0)
    vary = free * (g.rest + g.ones**2) + m.zd_square * (g.along * frame.cosine) ** 2
    factor, own = slope_sums.lifted(block, step, m, draws)
    square = _square(m, g, frame, factor, block.width)
    if block.inside != "none":
        left = np.exp(LN_EPSILON - ln_inside)
        square = (
            square - onto_h**2 - (_onto_ones(m, g, frame) ** 2 if block.inside == "layer" else 0)
        )
        onto_h, vary = onto_h * left, vary * left**2
    square = np.maximum(square, 1e-300)
    vary = share * vary + (1 - share) * square
    onto_x = np.sqrt(share) * onto_h + np.sqrt(vary / block.width) * draws.normal()
    scale = g.ln_scale + np.log(block.sigmas[0]) + (m.ln_slope - ln_inside) / 2
    found = Gradient.around(entering, scale, onto_x, square, block.width, draws)
    return found.through_norm(block.before, step.x), own


def _square(m: UnitMoments, g: Gradient, frame: Frame, factor: Array, n: int) -> Array:
    """|φ′ ∘ δ|² over E φ′²; the rest of δ has no part along the two directions that are known."""
    s = g.along * frame.sine
    of_phi = (m.phi_square_dd - 2 * m.mean * m.phi_dd + m.mean**2) / m.variance
    both = (m.phi_dd - m.mean) / np.sqrt(m.variance)
    known = (g.along * frame.cosine) ** 2 + g.ones**2 + s**2 * of_phi + 2 * s * g.ones * both
    left = np.maximum(1 - frame.sine**2 * (of_phi - 1) / n, 0)
    return g.rest * factor * left + known


def _onto_ones(m: UnitMoments, g: Gradient, frame: Frame) -> Array:
    """The component of φ′ ∘ δ along ones, over √(E φ′²)."""
    along = g.along * frame.sine * (m.phi_d - m.mean * m.d) / np.sqrt(m.variance)
    return np.asarray(along + g.ones * m.d)
