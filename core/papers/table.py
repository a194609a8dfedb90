"""CLAIMS: every number of the literature that is measured again here."""

from __future__ import annotations

from . import explode
from .claim import Claim

_ROWS = (*explode.CLAIMS,)

CLAIMS: dict[str, Claim] = {claim.name: claim for claim in _ROWS}
"""Name -> the claim, in the order of the page."""
