"""How many layers a network may have to learn, by the depth scale of theory."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ..question.experiment import Experiment
from ..text import significant
from ..theory.correlations import TRAINABLE, depth_scales

_LAWS = ("gaussian", "independent", "orthogonal")
_MOST = 10_000  # layers; beside the edge of chaos the number has no meaning but "many"


@lru_cache(maxsize=256)
def _scale(phi: str, sigma_w: float, sigma_b: float) -> float:
    return float(depth_scales(phi, sigma_w, sigma_b)[1])


def depth_scale(experiment: Experiment) -> float | None:
    """ξ_c, the layers over which the correlation of two signals settles by a factor e.

    None where theory gives none: tied weights, weights whose law is not known, a positively
    homogeneous φ without bias, whose signals keep no size of their own, and the edge of chaos.
    """
    e = experiment
    if e.weights != "fresh" or e.rule.law not in _LAWS or not e.layer.is_plain:
        return None
    if e.layer.degree is not None or e.weight_std == 0:
        return None
    found = _scale(e.activation, e.weight_std * e.width**0.5, e.bias_std)
    return found if np.isfinite(found) and found > 0 else None


def _layers(scale: float) -> str:
    """The depth to which networks of this depth scale learn: "about 83 layers"."""
    layers = max(1, round(TRAINABLE * scale))
    if layers > _MOST:
        return f"more than {_MOST:,} layers"
    return f"about {layers} layer{'s' if layers > 1 else ''}"


def in_a_word(experiment: Experiment) -> str:
    """A few words on the depth to which such networks learn; empty where theory gives none."""
    scale = depth_scale(experiment)
    return f"trainable to {_layers(scale)}, by theory" if scale is not None else ""


def trainable(experiment: Experiment) -> str:
    """The reason for `in_a_word`, in sentences; empty where theory gives none."""
    scale = depth_scale(experiment)
    if scale is None:
        return ""
    return (
        "In wide layers the correlation of two signals settles by a factor e over "
        f"ξ_c = {significant(scale)} layers. Networks of tanh were trained to about {TRAINABLE} "
        f"ξ_c, which is {_layers(scale)} here (Schoenholz et al. 2017)."
    )
