"""Whether a signal stays so far from both ends of a number format that it never meets them."""

from __future__ import annotations

import numpy as np

from ..question.experiment import Experiment
from .length_law import LengthLaw

_ELEMENTS = 6.0  # octaves from the rms of a normal vector at which no element lies: 64 sd
_NETWORKS = 4.0  # octaves beyond the outermost point of a law at which no network lies


def far_from_ends(e: Experiment, law: LengthLaw) -> bool:
    """Whether no element overflows, and no vector rounds to zero, in any network and layer.

    What lies between two layers differs from both by the factors of the products.

    Args:
        e: the question.
        law: of log2 rms of the signal or of its gradient.
    """
    room = _ELEMENTS + _NETWORKS
    room += sum(abs(float(np.log2(product.sigma_w))) for product in e.layer.products)
    ends = np.array([[points[0], points[-1]] for points in law.points])
    finite = ends[np.isfinite(ends)]
    if not finite.size:
        return False
    low = np.log2(e.format.smallest_subnormal) + room
    high = np.log2(e.format.max) - room
    return bool((finite > low).all() and (finite < high).all())
