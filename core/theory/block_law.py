"""The laws of sizes through layers norm_after(skip(x) + α·branch(x)), from sampled scalars.

Many networks pass through the layers by the mean and the variance of x over units alone
(`block_signal`), and their gradients by three numbers (`block_gradient`). The seed is fixed: the
same question has the same law.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from ..layer.operation import MICROSECOND
from ..maths.arrays import Array
from ..question.experiment import Experiment
from .block import Block
from .block_draws import Draws, Start
from .block_frame import Gradient
from .block_gradient import moved_back
from .block_signal import Step, moved
from .length_law import LengthLaw

NARROWEST = 8
"""The least width that the laws are for."""

_MOST, _LEAST_NETWORKS, _KEPT = 2048, 512, 2**19  # networks; networks times layers
_SEED = 20
_SCORES = np.linspace(-3.0, 3.0, 49)  # levels of the points, as normal quantiles
_WEIGHTS = np.diff(special.ndtr((_SCORES[1:] + _SCORES[:-1]) / 2), prepend=0.0, append=1.0)
_LN2 = float(np.log(2.0))
_FLAT = -1e6  # octaves that stand for −∞ while quantiles are taken


@dataclass(frozen=True)
class BlockLaw:
    """The laws at layers 0 … depth.

    Attributes:
        rms: of log2 rms of x.
        std: of log2 std of x.
        gradient: of log2 rms of δ, for δ_L ~ N(0, 1).
        gradient_std: of log2 std of δ: where a direction stands out, δ has a mean.
        rough: the largest mean relative variance that one layer's lognormal law has.
        rough_back: the same on the way back.
    """

    rms: LengthLaw
    std: LengthLaw
    gradient: LengthLaw
    gradient_std: LengthLaw
    rough: float
    rough_back: float


def networks(depth: int) -> int:
    """How many networks are sampled: fewer of very deep ones, to bound the memory."""
    return min(_MOST, max(_LEAST_NETWORKS, _KEPT // depth))


def work(e: Experiment) -> float:
    """The multiply-adds of the laws, besides φ's moments."""
    return (3000 + (330 + 0.62 * networks(e.depth)) * e.depth) * MICROSECOND


def block_law(e: Experiment) -> BlockLaw:
    """The laws for one input and fresh independent weights.

    Args:
        e: the question; its seed, number format and loss scale play no part.
    """
    return _sampled(e.replace(seed=0, number_format="float32", loss_scale=1.0))


@lru_cache(maxsize=16)
def _sampled(e: Experiment) -> BlockLaw:
    block, draws = Block.of(e), Draws(networks(e.depth), _SEED)
    x = start(e).signal(e.width, draws)
    sizes, deviations, steps, rough = [x.ln_square], [x.ln_variance], [], 0.0
    for _ in range(e.depth):
        step = moved(block, x, draws)
        x = step.output
        sizes.append(x.ln_square)
        deviations.append(x.ln_variance)
        steps.append(step)
        rough = max(rough, step.rough)
    unbiased = np.log(e.width / (e.width - 1))
    back, spread, rough_back = _gradients(block, steps, draws)
    std, back_std = ([each + unbiased for each in found] for found in (deviations, spread))
    return BlockLaw(_law(sizes), _law(std), _law(back), _law(back_std), rough, rough_back)


def _gradients(
    block: Block, steps: list[Step], draws: Draws
) -> tuple[list[Array], list[Array], float]:
    """ln of the mean square and of the variance of δ at layers 0 … depth; how rough they are."""
    rough, g = 0.0, Gradient.start(block.width, draws)
    found = [g]
    for step in reversed(steps):
        g, own = moved_back(block, step, g, draws)
        found.append(g)
        rough = max(rough, own)
    squares = [2 * g.ln_scale - np.log(block.width) for g in reversed(found)]
    with np.errstate(divide="ignore"):
        centred = [np.log(np.maximum(1 - g.ones**2, 0)) for g in reversed(found)]
    return squares, [one + two for one, two in zip(squares, centred, strict=True)], rough


def start(e: Experiment) -> Start:
    """The law of the input."""
    mean, square = e.source.mean(e.width), e.source.square(e.width)
    return Start(e.input_scale, mean, square - mean**2, e.source.kurtosis)


def _law(ln_squares: list[Array]) -> LengthLaw:
    """The law of half of log2 of numbers, one array of networks for each layer."""
    octaves = np.maximum(np.array(ln_squares) / (2 * _LN2), _FLAT)
    points = np.quantile(octaves, special.ndtr(_SCORES), axis=1).T
    points = np.where(points <= _FLAT / 2, -np.inf, points)
    return LengthLaw(list(points), [_WEIGHTS] * len(points), np.zeros(len(points)))
