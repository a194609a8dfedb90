"""Claims on networks that are not infinitely wide."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from .claim import Claim, Source
from .combined import over
from .exacts import constant
from .measures import of_ensemble, size

_TOPIC = "Finite width"
_DEPTHS = (5, 10, 20)
_WIDTHS = (64, 128, 256, 512, 1024)
_NARROW = (2, 4, 6)
_MORTAL = Experiment(width=4, depth=10, init="kaiming_normal", activation="relu", weights="fresh")


def _exponent(experiment: Experiment, networks: int) -> Array:
    """The slope of ln rms against ln n, of each network of every width."""
    measured = over(size("rms", [1, 2]), [{"width": n} for n in _WIDTHS])(experiment, networks)
    sizes = np.log(measured).reshape(networks, len(_WIDTHS), 2)
    slopes = [np.polyfit(np.log(_WIDTHS), sizes[..., k].T, 1)[0] for k in (0, 1)]
    return np.stack(slopes, axis=1)


CLAIMS = (
    Claim(
        name="relu-lengths",
        topic=_TOPIC,
        title="With He's weights the length scatters more at every layer",
        source=Source(
            authors="Hanin & Rolnick",
            year=2018,
            title="How to start training: the effect of initialization and architecture",
            where="arXiv:1803.01719",
            place="the variance of squared lengths, exp(5 L/n) − 1 to leading order",
            read="as commonly quoted",
            computed="from its formula",
        ),
        asked="He's weights keep the mean of the squared length. How far is one network from it?",
        found="The variance of the squared length is exp(5 L/n) − 1: depth over width decides.",
        seen="The band of theory around the std grows wider from layer to layer.",
        at=tuple(f"variance, layer {depth}" for depth in _DEPTHS),
        printed=("0.1026", "0.2157", "0.4779"),
        experiment=Experiment(
            width=256, depth=20, init="kaiming_normal", activation="relu", weights="fresh"
        ),
        measure=of_ensemble(
            lambda many: (np.exp2(2 * (many.log2_rms - many.log2_rms[:, :1])) - 1)[:, _DEPTHS] ** 2
        ),
        exact=lambda e: (1 + 5 / e.width) ** np.array(_DEPTHS) - 1,
        within=0.02,
        because="(1 + 5/n)^L − 1 is exact, and exp(5 L/n) − 1 its leading order",
        networks=4000,
        few=400,
    ),
    Claim(
        name="born-dead",
        topic=_TOPIC,
        title="Narrow ReLU networks are born dead",
        source=Source(
            authors="Lu et al.",
            year=2019,
            title="Dying ReLU and initialization: theory and numerical examples",
            where="arXiv:1903.06733",
            place="the probability 1 − (1 − 2⁻ⁿ)^L for one input and no biases",
            read="as commonly quoted",
            computed="from its formula",
        ),
        asked="How often does a ReLU network of ten layers put out zero from the start?",
        found="A layer dies if all its n units do, with probability 2⁻ⁿ; ten layers try ten times.",
        seen="About half of these networks are zero in the end: try other seeds.",
        at=tuple(f"share dead, n = {width}" for width in _NARROW),
        printed=("0.944", "0.476", "0.146"),
        experiment=_MORTAL,
        measure=over(
            of_ensemble(lambda many: many.zero[:, -1] == 1), [{"width": n} for n in _NARROW]
        ),
        exact=over(
            lambda e: np.array([1 - (1 - 2.0**-e.width) ** e.depth]),
            [{"width": n} for n in _NARROW],
        ),
        networks=4000,
        few=400,
    ),
    Claim(
        name="products-and-width",
        topic=_TOPIC,
        title="A product of N(0, 1) grows as √n",
        source=Source(
            authors="Yang et al.",
            year=2022,
            title="Tensor programs V: tuning large networks via zero-shot hyperparameter transfer",
            where="github.com/microsoft/mup",
            place="README: a product with an iid matrix multiplies coordinates by √n",
            computed="from its formula",
        ),
        asked="By which power of the width does a product with an iid matrix grow?",
        found="By the square root of n at every product.",
        seen="Each product multiplies the rms by about √n.",
        at=("one product", "two products"),
        printed=("0.5", "1.0"),
        experiment=Experiment(depth=2, weights="fresh"),
        measure=_exponent,
        exact=constant(0.5, 1.0),
        networks=200,
        few=40,
    ),
    Claim(
        name="orthogonal-lengths",
        topic=_TOPIC,
        title="An orthogonal matrix keeps every length",
        source=Source(
            authors="Saxe et al.",
            year=2014,
            title="Exact solutions to the nonlinear dynamics of learning in deep linear neural "
            "networks",
            where="arXiv:1312.6120",
            place="section 3: all singular values are 1 at every depth",
            read="as commonly quoted",
            computed="from its formula",
        ),
        asked="Can a deep linear network keep every vector, and not only the average one?",
        found="With orthogonal matrices all singular values of the product are 1.",
        seen="The std wanders by a few percent; with the rms shown, the curve is flat.",
        at=("x after 100 layers", "δ after 100 layers"),
        printed=("1.0000", "1.0000"),
        experiment=Experiment(width=64, init="orthogonal", weights="fresh"),
        measure=of_ensemble(
            lambda many: np.stack(
                [
                    np.exp2(many.log2_rms[:, -1] - many.log2_rms[:, 0]),
                    np.exp2(many.log2_gradient_rms[:, 0] - many.log2_gradient_rms[:, -1]),  # type: ignore[index]
                ],
                axis=1,
            ),
            backward=True,
        ),
        exact=constant(1.0, 1.0),
        networks=16,
        few=8,
    ),
)
