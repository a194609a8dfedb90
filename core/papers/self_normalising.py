"""Claims on activations that are meant to keep a signal by themselves: SELU and sine."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.ensemble import Ensemble
from ..theory import mean_field
from .claim import Claim, Source
from .combined import over
from .exacts import constant, wide_gradient, wide_rms, wide_std
from .measures import of_ensemble, of_runs, size

_TOPIC = "Self-normalising"
_SELU = Experiment(width=1000, init="lecun_normal", activation="selu", weights="fresh")
_PULL = Source(
    authors="PyTorch contributors",
    year=2021,
    title="Add SELU activation to calculate_gain",
    where="github.com/pytorch/pytorch",
    place="pull request 50664, the printed std",
)
_EVERY_TENTH = range(1, 92, 10)

_DEPTHS = range(1, 92, 10)


def _mean_size(experiment: Experiment, networks: int) -> Array:
    """E |δ| at the input: that of normal numbers of its rms."""
    return (2 / np.pi) ** 0.5 * size("gradient_rms", [0])(experiment, networks)


def _exact_mean_size(experiment: Experiment) -> Array:
    return (2 / np.pi) ** 0.5 * wide_gradient([0])(experiment)


def _mean_and_std(many: Ensemble) -> Array:
    return np.stack([many.mean[:, -1], np.exp2(many.log2_std[:, -1])], axis=1)


CLAIMS = (
    Claim(
        name="selu-fixed-point",
        topic=_TOPIC,
        title="SELU keeps mean 0 and variance 1",
        source=Source(
            authors="Klambauer et al.",
            year=2017,
            title="Self-normalizing neural networks",
            where="arXiv:1706.02515",
            place="section 2, the fixed point (0, 1) for weights of variance 1/n",
            read="as commonly quoted",
        ),
        asked="Can an activation pull every signal back to mean 0 and variance 1?",
        found="SELU has this fixed point, and it attracts, with weights of variance 1/n.",
        seen="The std stays near 1 through 50 layers.",
        at=("mean", "std"),
        printed=("0.000", "1.000"),
        experiment=_SELU.replace(depth=50),
        measure=of_ensemble(_mean_and_std),
        exact=constant(0.0, 1.0),
        networks=100,
        few=16,
    ),
    Claim(
        name="selu-pytorch",
        topic=_TOPIC,
        title="100 layers of SELU with a gain of ¾",
        source=_PULL,
        asked="PyTorch gives SELU a gain of ¾. Does a signal survive 100 layers?",
        found="The std falls to 0.2 and stays there.",
        seen="The std falls within some thirty layers, and then holds at about 0.2 instead of 1.",
        at=tuple(f"layer {k}" for k in _EVERY_TENTH),
        printed=(
            *("0.7968", "0.3127", "0.2404", "0.2062", "0.2056"),
            *("0.2044", "0.2005", "0.2042", "0.1944", "0.2085"),
        ),
        experiment=_SELU.replace(scale=0.75, depth=91, batch_size=4),
        measure=size("std", _EVERY_TENTH),
        exact=wide_std(_EVERY_TENTH),
        drawn=1,
        is_factor=True,
        networks=24,
        few=8,
    ),
    Claim(
        name="selu-pytorch-gradient",
        topic=_TOPIC,
        title="100 layers of SELU with a gain of ¾: the gradient",
        source=replace(
            _PULL,
            place="pull request 50664, the printed mean |gradient| at the input; here √(2/π) times "
            "the rms, as of normal numbers",
        ),
        asked="PyTorch's gain of ¾: how large is the gradient at the input?",
        found="Its mean size falls to 0.2 as well, and does not vanish.",
        seen="Going back, the gradient stays about as it is, and falls in the first thirty layers.",
        at=tuple(f"depth {depth}" for depth in _DEPTHS),
        printed=(
            *("0.6509", "0.2760", "0.2337", "0.2039", "0.1795"),
            *("0.1977", "0.2045", "0.2273", "0.2034", "0.2464"),
        ),
        experiment=_SELU.replace(scale=0.75, depth=91),
        measure=over(_mean_size, [{"depth": depth} for depth in _DEPTHS]),
        exact=over(_exact_mean_size, [{"depth": depth} for depth in _DEPTHS]),
        drawn=1,
        is_factor=True,
        networks=48,
        few=6,
    ),
    Claim(
        name="selu-gain",
        topic=_TOPIC,
        title="PyTorch's gain of SELU",
        source=replace(_PULL, place="pull request 50664, the table of calculate_gain"),
        asked="With which gain on weights of std 1/√n does SELU keep a signal of rms 1?",
        found="PyTorch's calculate_gain says ¾, a number that was found by trial.",
        seen="With a gain of 1 the rms after one layer is about 1.",
        at=("gain",),
        printed=("0.75",),
        experiment=_SELU.replace(depth=1, input="ones"),
        measure=lambda e, networks: 1 / size("rms", [1])(e, networks),
        exact=lambda e: np.array([mean_field.gain(e.activation)]),
        why="¾ was chosen so that the gradient stayed even in a run; SELU was made for a gain of "
        "1, which alone keeps a variance of 1.",
        networks=200,
        few=50,
    ),
    Claim(
        name="siren-rms",
        topic=_TOPIC,
        title="Sine layers: the size of the activations",
        source=Source(
            authors="Sitzmann et al.",
            year=2020,
            title="Implicit neural representations with periodic activation functions",
            where="arXiv:2006.09661",
            place="section 3.2: activations are distributed as an arcsine, whose std is 1/√2",
            read="as commonly quoted",
            computed="from its formula",
        ),
        asked="Weights U(±√(6/n)) before each sine: how are the activations distributed?",
        found="The paper says as an arcsine, whose std is 1/√2, if they enter as N(0, 1).",
        seen="The std settles at about 0.63, below 1/√2 = 0.707.",
        at=("std",),
        printed=("0.7071",),
        experiment=Experiment(
            width=256, depth=20, init="kaiming_uniform", activation="sin", weights="fresh"
        ),
        measure=of_runs(lambda run: run.stats.rms[-1]),
        exact=wide_rms([-1]),
        why="The sine of N(0, 1) is not quite an arcsine: its variance is (1 − e⁻²)/2 = 0.43 and "
        "not ½, and the next layers, which get less, lose a little more.",
        networks=64,
        few=16,
    ),
)
