"""CLAIMS: every number of the literature that is measured again here."""

from __future__ import annotations

from . import (
    criticality,
    cs231n,
    edge_of_chaos,
    explode,
    finite_width,
    gains,
    gradients,
    makemore,
    norms,
    number_formats,
    residual,
    self_normalising,
)
from .claim import TOPICS, Claim

_MODULES = (
    *(explode, cs231n, gains, makemore, criticality, edge_of_chaos, finite_width, gradients),
    *(residual, norms, number_formats, self_normalising),
)
_ROWS = [claim for module in _MODULES for claim in module.CLAIMS]

CLAIMS: dict[str, Claim] = {
    claim.name: claim for topic in TOPICS for claim in _ROWS if claim.topic == topic
}
"""Name -> the claim, in the order of the page."""

if len(CLAIMS) < len(_ROWS):
    raise ValueError("two rows of core/papers have the same name")
