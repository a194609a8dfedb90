"""Claims on gradients."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.backward import Backward
from ..theory.profile import profile
from .claim import Claim, Source
from .combined import over
from .measures import of_gradients, size

_TOPIC = "Gradients"
_FANS = (576, 1152, 2304, 4608)  # 9 · 64 … 9 · 512: 3 × 3 filters of a VGG network
_TIMES = (1, 2, 2, 4)  # layers of each kind between the 10th and the 2nd
_VGG = [{"width": fan} for fan in _FANS]


def _with_product(factors: Array) -> Array:
    product = np.prod(factors ** np.array(_TIMES), axis=-1, keepdims=True)
    return np.concatenate([factors, product], axis=-1)


def _vgg(experiment: Experiment, networks: int) -> Array:
    return _with_product(over(size("gradient_rms", [0]), _VGG)(experiment, networks))


def _exact_vgg(experiment: Experiment) -> Array:
    return _with_product(experiment.scale * np.sqrt(np.array(_FANS) / 2))


def _first_over_last(back: Backward) -> Array:
    weights, gradient = back.weights.log2_rms, back.stats.log2_rms
    return np.exp2([weights[1] - weights[5], gradient[1] - gradient[5]])


def _exact_first_over_last(experiment: Experiment) -> Array:
    """The gradient of a matrix is φ′(h) δ xᵀ, and σ_w² E (φ′ δ_k)² = E δ²_{k−1}."""
    wide = profile(experiment)
    weights = wide.log2_gradient_rms[[0, 4]] + wide.log2_rms[[0, 4]]
    return np.exp2([weights[0] - weights[1], wide.log2_gradient_rms[1]])


CLAIMS = (
    Claim(
        name="he-vgg",
        topic=_TOPIC,
        title="Weights of 0.01 in a VGG network",
        source=Source(
            authors="He et al.",
            year=2015,
            title="Delving deep into rectifiers",
            where="arXiv:1502.01852",
            place="section 2.2: the gradient from the 10th to the 2nd layer of VGG-B",
        ),
        asked="Weights of 0.01 everywhere: how much of the gradient reaches the first layers?",
        found="Each layer divides it by 2.1 to 5.9, and nine layers by 17,000.",
        seen="One ReLU layer whose fan is 576 = 9 · 64 divides the gradient by about 5.9.",
        at=(*(f"fan of {fan}" for fan in _FANS), "nine layers"),
        printed=("1/5.9", "1/4.2", "1/2.9", "1/2.1", "1/1.7e4"),
        experiment=Experiment(
            width=576, depth=1, init="normal", scale=0.01, activation="relu", weights="fresh"
        ),
        measure=_vgg,
        exact=_exact_vgg,
        is_factor=True,
        networks=400,
        few=50,
    ),
    Claim(
        name="glorot-weight-gradients",
        topic=_TOPIC,
        title="The gradients of weights stay equal while those of units shrink",
        source=Source(
            authors="Glorot & Bengio",
            year=2010,
            title="Understanding the difficulty of training deep feedforward neural networks",
            where="AISTATS",
            place="equations 13 and 14, figure 8",
            computed="from its formula",
        ),
        asked="Five tanh layers with U(±1/√n): do the first matrices get smaller gradients?",
        found="The units do: √(1/3) per layer. The matrices do not: their inputs are larger.",
        seen="The gradient falls on its way back; those of the matrices, further down, hardly do.",
        at=("matrix 1 over 5", "unit 1 over 5"),
        printed=("1.000", "0.1111"),
        experiment=Experiment(
            width=300, depth=5, init="torch_linear", activation="tanh", weights="fresh"
        ),
        measure=of_gradients(_first_over_last),
        exact=_exact_first_over_last,
        within=0.12,
        because="the equations take tanh as linear, and the first layers are not small enough",
        is_factor=True,
        networks=48,
        few=8,
    ),
)
