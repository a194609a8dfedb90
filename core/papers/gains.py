"""Claims on gains: the factor that makes up for an activation."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..reading.nf_gains import NF_GAINS
from ..theory import mean_field
from .claim import Claim, Source
from .combined import over
from .exacts import constant
from .measures import of_runs, size

_TOPIC = "Gains"
_NF_NETS = ("relu", "silu", "gelu_tanh", "tanh", "sigmoid", "softplus", "softsign", "elu")
_PHIS = [{"activation": name} for name in _NF_NETS]
_ONE_LAYER = Experiment(width=4096, depth=1, init="lecun_normal", weights="fresh", input="ones")


def _inverse_std(experiment: Experiment, networks: int) -> Array:
    return 1 / size("std", [1])(experiment, networks)


def _variance_gain(experiment: Experiment) -> Array:
    """1/std φ(z) for z ~ N(0, 1)."""
    phi = experiment.activation
    variance = mean_field.second_moment(phi, 1.0) - mean_field.mean(phi, 1.0) ** 2
    return np.array([variance**-0.5])


CLAIMS = (
    Claim(
        name="pytorch-linear",
        topic=_TOPIC,
        title="What nn.Linear draws",
        source=Source(
            authors="PyTorch contributors",
            year=2021,
            title="nn.Linear weight initialization: uniform or kaiming_uniform?",
            where="github.com/pytorch/pytorch",
            place="issue 57109: kaiming_uniform with a = √5 is U(±1/√n), a gain of √(1/3)",
            computed="from its formula",
        ),
        asked="PyTorch's Linear calls kaiming_uniform with a = √5. How large are its weights?",
        found="They are U(±1/√n), of std 1/√(3n): too small by √3 to keep a linear signal.",
        seen="Each layer multiplies the std by about 0.577.",
        at=("one layer",),
        printed=("0.577",),
        experiment=Experiment(depth=10, init="torch_linear", weights="fresh"),
        measure=of_runs(lambda run: 2 ** ((run.stats.log2_rms[-1] - run.stats.log2_rms[0]) / 10)),
        exact=constant(3**-0.5),
        networks=40,
        few=8,
    ),
    Claim(
        name="nf-nets-gains",
        topic=_TOPIC,
        title="The constants of normaliser-free networks",
        source=Source(
            authors="Brock et al.",
            year=2021,
            title="High-performance large-scale image recognition without normalization",
            where="arXiv:2102.06171",
            place="public code: the factor of each activation, drawn as in arXiv:2101.08692, D.1",
        ),
        asked="By which factor must φ(z) be multiplied to have a std of 1 for z ~ N(0, 1)?",
        found="They drew 1024 × 256 numbers for each activation, and wrote all digits down.",
        seen="After one layer of ReLU the std is about 0.58 = 1/1.71.",
        at=_NF_NETS,
        printed=tuple(str(NF_GAINS[name]) for name in _NF_NETS),
        experiment=_ONE_LAYER.replace(activation="relu"),
        measure=over(_inverse_std, _PHIS),
        exact=over(_variance_gain, _PHIS),
        drawn=64,  # of 4096 numbers: 1024 · 256 in all
        networks=128,
        few=16,
    ),
)
