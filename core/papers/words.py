"""A finding in words: its numbers as text, and its verdict as a sign and a sentence."""

from __future__ import annotations

import numpy as np

from ..text import significant, with_minus
from .claim import Source, Verdict
from .finding import Finding

SIGNS: dict[Verdict, str] = {
    "agrees": "=",
    "agrees but for their sampling error": "≈",
    "differs": "≠",
}
"""Verdict -> its sign."""


def measured_text(finding: Finding, k: int) -> str:
    """A measured number ± its standard error, with two digits of the error; empty if unknown."""
    value, error = float(finding.measured[k]), float(finding.error[k])
    if np.isnan(value):
        return ""
    error *= abs(value) if finding.claim.is_factor else 1.0
    if not error > 0 or value == 0:
        return with_minus(significant(value, 5))
    digits = int(np.clip(np.floor(np.log10(abs(value) / error)) + 2, 1, 9))
    return with_minus(f"{significant(value, digits)} ± {significant(error, 2)}")


def exact_text(finding: Finding, k: int) -> str:
    """A number by theory; empty where none is known."""
    exact = float(finding.exact[k])
    return "" if np.isnan(exact) else with_minus(significant(exact, 6))


def cited(source: Source) -> str:
    """A source as a reading list names it."""
    return f"{source.authors} {source.year}, {source.title}, {source.where}"
