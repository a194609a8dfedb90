"""The biases that an initialiser's own layer draws, as nn.Linear does."""

from __future__ import annotations

from ..question.experiment import Experiment
from ..text import of_octaves, products, significant
from ..theory.profile import profile


def lacks_bias(experiment: Experiment) -> bool:
    """Whether the initialiser's own layer draws biases, and this network has none."""
    return experiment.rule.bias_std is not None and experiment.bias_std == 0


def bias_note(experiment: Experiment) -> str:
    """What nn.Linear's own biases do, in words; empty where there is nothing to tell."""
    e, own = experiment, experiment.rule.bias_std
    if own is None:
        return ""
    usual = own(e.width)
    if lacks_bias(e):
        without, with_it = (of_octaves(_last(each)) for each in (e, e.replace(bias_std=usual)))
        return (
            f"nn.Linear also draws a bias of std {significant(usual)} (1/√(3n)). In a wide network "
            f"the rms after {products(e.depth, e.step)} is {without} without it, and {with_it} "
            "with it."
        )
    if e.bias_std == usual:
        return "The biases here are normal; those of nn.Linear are uniform, with the same std."
    return ""


def _last(e: Experiment) -> float:
    """log2 rms of x after the last product, at infinite width."""
    return float(profile(e).log2_rms[-1])
