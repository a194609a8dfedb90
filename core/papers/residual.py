"""Claims on networks with skips and without norms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.ensemble import Ensemble
from ..theory.profile import profile
from .claim import Claim, Source
from .exacts import constant
from .measures import of_ensemble, of_gradients

_TOPIC = "Residual and normalised nets"
_MEAN_FIELD = Source(
    authors="Yang & Schoenholz",
    year=2017,
    title="Mean field residual networks: on the edge of chaos",
    where="arXiv:1712.08969",
    place="ReLU: mean square and gradient grow exponentially; here with He's rule",
    read="as commonly quoted",
    computed="from its formula",
)
_RESIDUAL = Experiment(init="kaiming_normal", activation="relu", weights="fresh", skip="identity")


def _forward_and_back(many: Ensemble) -> Array:
    """The factors on the rms of x from the first to the last layer, and of δ back, per layer."""
    assert many.log2_gradient_rms is not None
    octaves = many.log2_rms[:, -1] - many.log2_rms[:, 0]
    back = many.log2_gradient_rms[:, 0] - many.log2_gradient_rms[:, -1]
    return np.exp2(np.stack([octaves, back], axis=1) / many.experiment.depth)


def _exponent(octaves: Array) -> Array:
    """The power of the layer with which E x² grows between layers 100 and 400."""
    return octaves[..., 400] - octaves[..., 100]


CLAIMS = (
    Claim(
        name="residual-relu",
        topic=_TOPIC,
        title="Without norms, a residual ReLU network doubles at every block",
        source=_MEAN_FIELD,
        asked="A skip beside ReLU and weights of √(2/n): do signal and gradient stay as they are?",
        found="Both their squares are multiplied by 1 + 1 = 2 at every block.",
        seen="Signal and gradient grow in straight lines on the log axis, by √2 for each layer.",
        at=("rms, per block", "gradient, per block"),
        printed=("1.414", "1.414"),
        experiment=_RESIDUAL.replace(width=1024, depth=20, branch="preactivation"),
        measure=of_ensemble(_forward_and_back, backward=True),
        exact=constant(2**0.5, 2**0.5),
        networks=64,
        few=8,
    ),
    Claim(
        name="residual-tanh",
        topic=_TOPIC,
        title="A residual tanh network grows by a power of its depth",
        source=replace(
            _MEAN_FIELD, place="tanh: the mean square grows as the first power of the depth"
        ),
        asked="A skip beside tanh: by which power of the depth does the mean square grow?",
        found="By the first: every block adds almost 1.",
        seen="The curve bends: four times as many layers give about four times the mean square.",
        at=("power of the layer",),
        printed=("1.00",),
        experiment=_RESIDUAL.replace(width=256, depth=400, init="lecun_normal", activation="tanh"),
        measure=of_ensemble(lambda many: _exponent(many.log2_rms)),
        exact=lambda e: np.array([_exponent(profile(e).log2_rms)]),
        within=0.08,
        because="the power holds for ever deeper layers, and the first ones add less than 1",
        networks=48,
        few=8,
    ),
    Claim(
        name="rezero",
        topic=_TOPIC,
        title="ReZero begins as the identity",
        source=Source(
            authors="Bachlechner et al.",
            year=2020,
            title="ReZero is all you need: fast convergence at large depth",
            where="arXiv:2003.04887",
            place="section 3: x + α f(x) with α = 0",
            computed="from its formula",
        ),
        asked="What does a network do whose branches are all multiplied by α = 0?",
        found="It is the identity: signal and gradient pass through every depth unchanged.",
        seen="The std and the gradient are the same at all layers, to the last bit.",
        at=("x after 50 blocks", "δ after 50 blocks"),
        printed=("1.0000", "1.0000"),
        experiment=_RESIDUAL.replace(width=128, depth=50, branch="mlp", branch_scale=0.0),
        measure=of_gradients(
            lambda back: [
                back.run.stats.rms[-1] / back.run.stats.rms[0],
                back.stats.rms[0] / back.stats.rms[-1],
            ]
        ),
        exact=constant(1.0, 1.0),
        networks=4,
        few=2,
    ),
)
