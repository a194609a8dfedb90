"""Claims of a lecture of Karpathy: five layers of 100 tanh units, 32 inputs.

The notebook's network reads letters: its first matrix has 30 columns, its inputs are the same few
letters again and again, and a softmax follows the last layer. Here all five matrices are square,
the inputs are N(0, 1), and so is the gradient of the last layer. So gradients are compared by their
ratio to that of the last layer.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import erfc

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..theory.profile import profile
from .claim import Claim, Source
from .combined import beside, over
from .exacts import wide_gradient, wide_std
from .measures import of_gradients, of_runs, size, statistic

_SOURCE = Source(
    authors="Karpathy",
    year=2022,
    title="Building makemore, part 3: activations and gradients, BatchNorm",
    where="github.com/karpathy/nn-zero-to-hero",
    place="cell that prints the std and the saturation of tanh layers, in two public runs of it",
)
_GRADIENTS = replace(
    _SOURCE,
    place="cell that prints the std of gradients",
    computed="as quotients of printed ones, over that of the last layer",
)
_BONUS = replace(_SOURCE, place="bonus cell on c = b @ a")
_FIVE = Experiment(
    width=100, depth=5, init="lecun_normal", activation="tanh", weights="fresh", batch_size=32
)
_LAYERS = range(1, 6)
_AT = tuple(f"layer {k}" for k in _LAYERS)
_EDGE = 0.97


def _std(
    name: str, gain: str, scale: float, printed: tuple[str, ...], found: str, seen: str
) -> Claim:
    """The std of the five layers at a gain."""
    return Claim(
        name=name,
        topic="Gains",
        title=f"tanh with a gain of {gain}: the std",
        source=_SOURCE,
        asked=f"Five layers of 100 tanh units, weights of std {gain}/√n, 32 inputs: which std?",
        found=found,
        seen=seen,
        at=_AT,
        printed=printed,
        experiment=_FIVE.replace(scale=scale),
        measure=statistic("std", _LAYERS),
        exact=wide_std(_LAYERS),
        drawn=1,
        networks=40,
        few=8,
    )


def _gradient(
    name: str, gain: str, scale: float, printed: tuple[str, ...], found: str, seen: str
) -> Claim:
    """The gradients of four layers over that of the fifth at a gain."""
    return Claim(
        name=name,
        topic="Gradients",
        title=f"tanh with a gain of {gain}: the gradient",
        source=_GRADIENTS,
        asked=f"Five tanh layers, weights of std {gain}/√n: how large is the gradient?",
        found=found,
        seen=seen,
        at=_AT[:-1],
        printed=printed,
        experiment=_FIVE.replace(scale=scale),
        measure=of_gradients(lambda back: back.stats.std[1:5] / back.stats.std[5]),
        exact=wide_gradient(range(1, 5)),
        drawn=1,
        is_factor=True,
        networks=40,
        few=8,
    )


def _percent_saturated(experiment: Experiment) -> Array:
    """100·P(|tanh h| > 0.97) at layers 1 … L, for h ~ N(0, v) with the v of infinite width."""
    variances = experiment.sigma_w**2 * profile(experiment).second_moment[:-1]
    return 100 * np.asarray(erfc(np.arctanh(_EDGE) / np.sqrt(2 * variances)))


CLAIMS = (
    _std(
        "makemore-std",
        "5/3",
        5 / 3,
        ("0.75", "0.69", "0.67", "0.66", "0.66"),
        "The std settles near 0.66.",
        "The std falls at first and then hardly changes.",
    ),
    _std(
        "makemore-std-gain-1",
        "1",
        1.0,
        ("0.62", "0.48", "0.41", "0.35", "0.32"),
        "Without a gain the std shrinks at every layer.",
        "Each layer is smaller than the one before, by less and less.",
    ),
    _std(
        "makemore-std-gain-3",
        "3",
        3.0,
        ("0.85", "0.84", "0.84", "0.84", "0.84"),
        "The std stays at 0.84, since many units are saturated.",
        "The std is about 0.84 from the second layer on.",
    ),
    _std(
        "makemore-std-gain-half",
        "0.5",
        0.5,
        ("0.41", "0.20", "0.10", "0.05", "0.02"),
        "The std halves at every layer.",
        "The signal vanishes by a factor of about ½ for each layer.",
    ),
    Claim(
        name="makemore-saturation",
        topic="Gains",
        title="tanh with a gain of 5/3: saturated units",
        source=_SOURCE,
        asked="How many percent of the units are beyond ±0.97, where tanh is almost flat?",
        found="A fifth of the first layer is saturated, and 6 % of the last.",
        seen="Further down, the share of saturated units falls from a fifth to about 6 %.",
        at=_AT,
        printed=("20.25", "8.38", "6.62", "5.47", "6.12"),
        experiment=_FIVE.replace(scale=5 / 3),
        measure=over(
            of_runs(lambda run: 100 * float((np.abs(run.final) > _EDGE).mean())),
            [{"depth": depth} for depth in _LAYERS],
        ),
        exact=_percent_saturated,
        drawn=1,
        networks=40,
        few=8,
    ),
    _gradient(
        "makemore-gradient",
        "5/3",
        5 / 3,
        ("1.377", "1.307", "1.226", "1.077"),
        "The gradient is a little larger at the first layers, and no layer is left out.",
        "Going back, the gradient grows slowly, by a quarter to a third in all.",
    ),
    _gradient(
        "makemore-gradient-gain-3",
        "3",
        3.0,
        ("3.270", "2.432", "1.825", "1.295"),
        "The gradient is three times as large at the first layer as at the last.",
        "Going back, the gradient grows by about a third at every layer.",
    ),
    _gradient(
        "makemore-gradient-gain-half",
        "0.5",
        0.5,
        ("0.06197", "0.1291", "0.2632", "0.5113"),
        "The gradient halves at every layer on its way back.",
        "Going back, the gradient falls by a factor of about ½ for each layer.",
    ),
    Claim(
        name="makemore-product",
        topic="Gradients",
        title="The gradients of one product",
        source=_BONUS,
        asked="A product c = b @ a of 1000 numbers, all from N(0, 1): how large are the gradients?",
        found="The product is larger by √1000, and so is the gradient of a; that of b is near 1.",
        seen="Signal and gradient grow by about √1000 = 31.6, one there and one back.",
        at=("c", "gradient of a"),
        printed=("31.01", "30.88"),
        experiment=Experiment(width=1000, depth=1, weights="fresh"),
        measure=beside(size("std", [1]), size("gradient_rms", [0])),
        exact=lambda e: np.full(2, e.width**0.5),
        drawn=1,
        networks=400,
        few=100,
    ),
)
