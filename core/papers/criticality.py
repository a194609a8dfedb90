"""Claims on criticality: variances of weights and biases with which nothing grows or fades."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..maps.landscape import Landscape
from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.ensemble import Ensemble
from ..sweep.axes import parse
from ..theory import mean_field
from .claim import Claim, Source
from .combined import over
from .exacts import wide_rms
from .measures import of_ensemble

_TOPIC = "Edge of chaos"
_BOOK = Source(
    authors="Roberts, Yaida & Hanin",
    year=2022,
    title="The principles of deep learning theory",
    where="arXiv:2106.10165",
    place="section 5.3, half-stable activations",
)
SCHOENHOLZ = Source(
    authors="Schoenholz et al.",
    year=2017,
    title="Deep information propagation",
    where="arXiv:1611.01232",
    place="the critical point for σ_b² = 0.05",
    read="as commonly quoted",
)
_WIDE = 4096  # of the networks that are measured; those of links are quicker
TANH = Experiment(
    width=1024,
    depth=20,
    init="lecun_normal",
    activation="tanh",
    weights="fresh",
    branch="preactivation",
)


def tanh_map(measure: str) -> Landscape:
    """A number of theory for tanh, over σ_w and σ_b."""
    base = Experiment(init="lecun_normal", activation="tanh", weights="fresh")
    return Landscape(base, parse("sigma_w=0.5..2.5:41"), parse("bias_std=0..0.5:26"), measure)


def _critical(activation: str, weight: float, bias: float, second_moment: float) -> Experiment:
    """Layers a φ(x) + b with these variances, and an input whose second moment they keep."""
    return TANH.replace(
        activation=activation,
        scale=weight**0.5,
        bias_std=bias**0.5,
        input_scale=second_moment**0.5,
    )


def _edge(experiment: Experiment, networks: int) -> Array:
    """σ_w² and σ_b² with which one layer would keep E x² and E δ².

    A layer without bias and with σ_w = 1 turns E x² into E φ², and E δ² into E φ′².
    """

    def numbers(many: Ensemble) -> Array:
        assert many.log2_gradient_rms is not None
        square = np.exp2(2 * many.log2_rms)
        weight = np.exp2(2 * (many.log2_gradient_rms[:, 1] - many.log2_gradient_rms[:, 0]))
        return np.stack([weight, square[:, 0] - weight * square[:, 1]], axis=1)

    plain = experiment.replace(width=_WIDE, depth=1, scale=1.0, bias_std=0.0)
    return of_ensemble(numbers, backward=True)(plain, networks)


def _exact_edge(experiment: Experiment) -> Array:
    sigmas = mean_field.edge_curve(experiment.activation, experiment.input_scale**2)
    return np.square(np.array(sigmas))


def _edge_claim(
    name: str, title: str, source: Source, experiment: Experiment, printed: tuple[str, str]
) -> Claim:
    return Claim(
        name=name,
        topic=_TOPIC,
        title=title,
        source=source,
        asked="Which variances of weights and biases keep both the signal and the gradient?",
        found=f"σ_w² = {float(printed[0]):.4g} and σ_b² = {float(printed[1]):.4g}, for a signal of "
        f"mean square {experiment.input_scale**2:.4g}.",
        seen="Both the signal and the gradient stay near where they begin.",
        at=("σ_w²", "σ_b²"),
        printed=printed,
        experiment=experiment,
        measure=_edge,
        exact=_exact_edge,
        networks=400,
        few=64,
    )


_GELU = _critical("gelu", 1.98305826, 0.17292239, (3 + 17**0.5) / 2)
_SILU = _critical("silu", 1.98800468, 0.55514317, 14.32017362)

CLAIMS = (
    _edge_claim("gelu-critical", "GELU at criticality", _BOOK, _GELU, ("1.98305826", "0.17292239")),
    _edge_claim("silu-critical", "SiLU at criticality", _BOOK, _SILU, ("1.98800468", "0.55514317")),
    replace(
        _edge_claim(
            "silu-slip",
            "SiLU at criticality, as public code has it",
            Source(
                authors="Public code after Roberts, Yaida & Hanin",
                year=2022,
                title="classes named CritMLP and MLP1, which compute C_b and C_W",
                where="github.com, in four repositories",
                place="C_b of swish, beside the C_b of gelu",
            ),
            _critical("silu", 1.98800468, 0.055514317, 14.32017362).replace(depth=100),
            ("1.98800468", "0.055514317"),
        ),
        found="Its branch for swish has σ_w² = 1.98800468 and σ_b² = 0.055514317.",
        seen="The signal shrinks to a tenth within some forty layers: the biases are too small.",
        why="The decimal point has slipped by one place: σ_b² is ten times as large.",
    ),
    replace(
        _edge_claim(
            "tanh-edge",
            "tanh at the edge of chaos",
            SCHOENHOLZ,
            _critical("tanh", 1.7610, 0.05, 0.570),
            ("1.76", "0.05"),
        ),
        landscape=tanh_map("chi_1"),
    ),
    Claim(
        name="power-law",
        topic=_TOPIC,
        title="At criticality, a signal falls by a power law",
        source=replace(
            _BOOK,
            place="section 5.3: K = 1/(2ℓ) for tanh, 1/ℓ for sin",
            read="as commonly quoted",
            computed="from its formula",
        ),
        asked="How does a signal fall with σ_w = 1 and without biases?",
        found="Its mean square goes as 1/(2ℓ) for tanh, and as 1/ℓ for sine.",
        seen="The curve bends: twice as many layers roughly halve the mean square.",
        at=("tanh, layer 100", "sin, layer 100"),
        printed=("0.0050", "0.0100"),
        experiment=TANH.replace(depth=100),
        measure=over(
            of_ensemble(lambda many: np.exp2(2 * many.log2_rms[:, -1])),
            [{"activation": name, "width": _WIDE} for name in ("tanh", "sin")],
        ),
        exact=over(
            lambda e: wide_rms([-1])(e) ** 2, [{"activation": "tanh"}, {"activation": "sin"}]
        ),
        within=0.04,
        because="the formula is the leading term; the next is smaller by (ln ℓ)/ℓ",
        networks=64,
        few=16,
    ),
)
