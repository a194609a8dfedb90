"""The sizes of a gradient in many networks of blocks, sampled by scalars on the way back.

A gradient has a part along the centred x, a part along the vector of ones, and a rest, which points
anywhere across both. Given the signal, a transposed Gaussian matrix acts on a vector by what the
product a @ x fixes of it, and by independent normal numbers. So the squares of the three parts go
back by scalars, up to O(1/n). Where φ has a mean, a skip lets the first two feed on each other:
they may outgrow the rest, and the gradient goes as |N(0, 1)|.

Reference: Bolthausen 2014, arXiv:1201.2891; Yang & Schoenholz 2017, arXiv:1712.08969.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..maths.arrays import Array
from .block import Block
from .block_draws import Draws
from .block_frame import Frame, Gradient
from .block_signal import Step
from .through_matrix import through_matrix
from .through_units import through_units


def moved_back(block: Block, step: Step, g: Gradient, draws: Draws) -> tuple[Gradient, float]:
    """The gradient at a layer's input, from that at its output.

    Args:
        block: the layer.
        step: what the layer did to the signal.
        g: the gradient at its output.
        draws: the random numbers.

    Returns:
        The gradient, and the mean relative variance of its square in this layer by the units that
        carry it, which was taken as lognormal.
    """
    g = g.through_norm(block.after, step.total)
    cosine = _aligned(block, step)
    chance = np.sqrt(g.rest / block.width) * draws.normal()
    frame = Frame(cosine, np.sqrt(1 - cosine**2), chance)
    back = through_units if block.branch == "product" else through_matrix
    u, own = back(block, step, g, frame, draws)
    u = replace(u, ln_scale=u.ln_scale + block.ln_factor)
    if not block.skip:
        return u.unit, own
    along = cosine * g.along + frame.sine * chance
    kept = np.maximum(g.along**2 + g.rest - along**2, 0.0)
    top = np.maximum(g.ln_scale, u.ln_scale)
    a, b = np.exp(g.ln_scale - top), np.exp(u.ln_scale - top)
    both = 2 * a * b * np.sqrt(kept * u.rest / block.width) * draws.normal()
    rest = np.maximum(a**2 * kept + both + b**2 * u.rest, 0.0)
    found = Gradient(top, a * along + b * u.along, a * g.ones + b * u.ones, rest)
    through = float(np.mean(b**2 * u.square / np.maximum(found.square, 1e-300)))
    return found.unit, own * min(through, 1.0) ** 2


def _aligned(block: Block, step: Step) -> Array:
    """The cosine between the centred x before and behind the sum; 0 without a skip.

    What x and the branch share by chance is estimated from the variance of their sum.
    """
    x, total = step.x, step.total
    if not block.skip:
        return np.zeros_like(x.mean)
    added = step.added_variance
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        own, whole = x.ln_variance, total.ln_variance
        ratio, part = np.exp(whole - own), np.exp(added - own)
        by_chance = 4 / (4 + (step.added_kurtosis - 1) * part)
        shared = (ratio - 1 - part) * by_chance / 2
        found = (1 + shared) / np.sqrt(ratio)
    return np.clip(np.nan_to_num(found, nan=0.0, posinf=0.0), 0.0, 1.0)
