"""What the literature printed on initialisation, measured again: ``CLAIMS``, one entry a row.

    finding = reproduce(CLAIMS["lesson-nan"])
    finding.measured, finding.error, finding.exact, finding.verdict

A claim is what was printed, and how it is measured in real networks and known by theory. Nothing is
tuned to agree: a row that differs says so, and why.
"""

from __future__ import annotations

from .claim import TOPICS, Claim, Source, Verdict
from .finding import Finding, blank, reproduce, reproduce_all, theory
from .table import CLAIMS

__all__ = [
    "CLAIMS",
    "TOPICS",
    "Claim",
    "Finding",
    "Source",
    "Verdict",
    "blank",
    "reproduce",
    "reproduce_all",
    "theory",
]
