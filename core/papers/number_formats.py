"""Claims on number formats: their ends, and scales that keep clear of them."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.backward import Backward
from ..simulation.propagate import Run
from ..theory.profile import profile
from .claim import Claim, Source
from .combined import over
from .exacts import constant
from .measures import of_gradients, of_runs

_TOPIC = "Number formats"
_POWERS = [{"scale": 2.0}, {"scale": 0.5}]
# nn.Linear's second bias has a std of 0.009; here both have 0.018, which adds 0.3 % to x: the
# printed size of x is left out.
_MLP = Experiment(
    width=1024,
    depth=1,
    init="torch_linear",
    activation="gelu",
    weights="fresh",
    branch="mlp",
    bias_std=(3 * 1024) ** -0.5,
    batch_size=256,
)


def _last_before(run: Run) -> list[float]:
    """How often 1 was doubled, or halved and still normal, or halved and not yet zero."""
    events = run.events
    if run.experiment.scale > 1:
        return [np.nan if events.first_nonfinite is None else events.first_nonfinite]
    ends = (events.all_subnormal, events.all_zero)
    return [np.nan if end is None else end for end in ends]


def _mlp(back: Backward) -> list[float]:
    matrices = [float(np.exp2(each.log2_rms[1])) for each in back.of_products]
    return [back.stats.std[0], *matrices]


def _exact_mlp(experiment: Experiment) -> Array:
    """Of δ alone, at infinite width."""
    return np.array([2 ** profile(experiment).log2_gradient_rms[0], np.nan, np.nan])


CLAIMS = (
    Claim(
        name="float16-ends",
        topic=_TOPIC,
        title="The powers of two that float16 holds",
        source=Source(
            authors="Micikevicius et al.",
            year=2018,
            title="Mixed precision training",
            where="arXiv:1710.03740",
            place="section 3.2: exponents from −14 to 15, and to −24 with less precision",
        ),
        asked="Which powers of two are there in float16?",
        found="From 2¹⁵ down to 2⁻¹⁴ with all digits, and to 2⁻²⁴ with fewer; half of that is 0.",
        seen="Halved at every layer, a 1 is subnormal from i = 14 on, and zero from i = 24 on.",
        at=("doublings", "halvings, normal", "halvings, not zero"),
        printed=("15", "14", "24"),
        experiment=Experiment(
            width=16, depth=30, init="identity", scale=0.5, input="one_hot", number_format="float16"
        ),
        measure=over(of_runs(_last_before), _POWERS),
        exact=constant(15, 14, 24),
        networks=2,
        few=2,
    ),
    Claim(
        name="unit-scaling-mlp",
        topic=_TOPIC,
        title="The scales in a plain MLP",
        source=Source(
            authors="Graphcore Research",
            year=2023,
            title="unit-scaling: user guide",
            where="github.com/graphcore-research/unit-scaling",
            place="analysis of UnscaledMLP, 256 inputs of 1024 numbers",
        ),
        asked="An MLP of two nn.Linear and GELU gets N(0, 1) from both ends: which gradients?",
        found="The gradient shrinks to a fifth; those of both matrices have stds of 2.8 and 5.5.",
        seen="The std falls from 1 to about 0.2, and so does the gradient on its way back.",
        at=("δ", "gradient of a₁", "gradient of a₂"),
        printed=("0.204", "2.83", "5.48"),
        experiment=_MLP,
        measure=of_gradients(_mlp),
        exact=_exact_mlp,
        drawn=1,
        networks=8,
        few=4,
    ),
)
