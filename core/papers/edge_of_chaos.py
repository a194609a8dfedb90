"""Claims on order and chaos: how far a gradient reaches, and what becomes of two inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.ensemble import Ensemble
from ..theory import mean_field
from .claim import Claim, Source
from .combined import over
from .criticality import SCHOENHOLZ, TANH, tanh_map
from .measures import of_ensemble, of_runs, statistic

_TOPIC = "Edge of chaos"
_DEEP = replace(
    SCHOENHOLZ,
    place="section 3: the depth scale of correlations, −1/ln χ₁ in the ordered phase",
    computed="from its formula",
)
_ORDERED = [{"scale": variance**0.5} for variance in (1.0, 1.3, 1.7)]
_FROM, _TO = 16, 32  # layers between which a decay is measured


def _of_sigmas(function: Callable[..., float]) -> Callable[[Experiment], Array]:
    """A number of mean field theory at the σ_w and σ_b of an experiment."""
    return lambda e: np.array([function(e.activation, e.sigma_w, e.bias_std)])


def _gradient_rate(many: Ensemble) -> Array:
    assert many.log2_gradient_rms is not None
    octaves = many.log2_gradient_rms
    return 2 * np.log(2) * (octaves[:, _TO] - octaves[:, _FROM]) / (_TO - _FROM)


CLAIMS = (
    Claim(
        name="gradient-depth",
        topic=_TOPIC,
        title="How deep a gradient reaches in the ordered phase",
        source=replace(_DEEP, place="section 4: the gradient falls as χ₁ per layer, σ_b² = 0.05"),
        asked="Over how many layers does the gradient's square fall by a factor of e?",
        found="Over ξ = −1/ln χ₁ layers: 3.6 for σ_w² = 1, and 75 for σ_w² = 1.7, near the edge.",
        seen="Going back, the gradient comes to fall in a straight line on the log axis.",
        at=("1/ξ, σ_w² = 1", "1/ξ, σ_w² = 1.3", "1/ξ, σ_w² = 1.7"),
        printed=("1/3.63", "1/7.83", "1/74.9"),
        landscape=tanh_map("xi_c"),
        experiment=TANH.replace(width=512, depth=40, bias_std=0.05**0.5, branch="product"),
        measure=over(
            of_ensemble(_gradient_rate, backward=True),
            [each | {"width": 2048} for each in _ORDERED],
        ),
        exact=over(lambda e: -np.log(_of_sigmas(mean_field.chi_1)(e)), _ORDERED),
        networks=48,
        few=8,
    ),
    Claim(
        name="correlation-depth",
        topic=_TOPIC,
        title="How fast two inputs become alike in the ordered phase",
        source=_DEEP,
        asked="Over how many layers does 1 minus the cosine of two inputs fall by a factor of e?",
        found="Over ξ = −1/ln χ₁ layers too: 3.6 for σ_w² = 1, and 7.8 for σ_w² = 1.3.",
        seen="Further down, the cosine of the inputs climbs to 1: all inputs become the same.",
        at=("1/ξ, σ_w² = 1", "1/ξ, σ_w² = 1.3"),
        printed=("1/3.63", "1/7.83"),
        experiment=TANH.replace(width=256, depth=_TO, bias_std=0.05**0.5, batch_size=8),
        measure=over(
            of_runs(
                lambda run: (
                    -np.diff(np.log(1 - run.stats.cosine_of_inputs[[_FROM, _TO]])) / (_TO - _FROM)
                )
            ),
            _ORDERED[:2],
        ),
        exact=over(lambda e: -np.log(_of_sigmas(mean_field.chi_1)(e)), _ORDERED[:2]),
        networks=48,
        few=8,
    ),
    Claim(
        name="chaotic-correlation",
        topic=_TOPIC,
        title="How alike two inputs stay in the chaotic phase",
        source=Source(
            authors="Poole et al.",
            year=2016,
            title="Exponential expressivity in deep neural networks through transient chaos",
            where="arXiv:1606.05340",
            place="figure 2: the fixed point c* for σ_b = 0.3 and σ_w = 2.5 and 4",
            read="as commonly quoted",
            computed="from its formula",
        ),
        asked="Two inputs go through many tanh layers with large weights. Do they become alike?",
        found="No: whatever they were, their correlation goes to a c* far below 1.",
        seen="Further down, the cosine of the inputs comes to about 0.1, and stays far below 1.",
        at=("c*, σ_w = 2.5", "c*, σ_w = 4"),
        printed=("0.122", "0.030"),
        experiment=TANH.replace(width=256, depth=16, scale=2.5, bias_std=0.3, batch_size=16),
        measure=over(statistic("cosine_of_inputs", [-1]), [{"scale": 2.5}, {"scale": 4.0}]),
        exact=over(_of_sigmas(mean_field.stable_correlation), [{"scale": 2.5}, {"scale": 4.0}]),
        networks=48,
        few=8,
    ),
)
