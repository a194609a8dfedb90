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
    """A measured number ± its standard error, to two digits of the error; empty if unknown.

    A number that was printed as 1/x is told as 1/x, with its error in percent.
    """
    value, error = float(finding.measured[k]), float(finding.error[k])
    if np.isnan(value):
        return ""
    absolute = error * abs(value) if finding.claim.is_factor else error
    if not absolute > 0 or value == 0:
        return with_minus(significant(value, 5))
    if _is_inverse(finding, k):
        digits = int(np.clip(np.floor(np.log10(abs(value) / absolute)) + 2, 1, 9))
        return f"1/{significant(1 / value, digits)} ± {_percent(absolute / value)}"
    return _with_error(value, absolute)


def _with_error(value: float, error: float) -> str:
    """Both with as many decimals as give the error two digits, and a power of ten if one is far."""
    power = int(np.floor(np.log10(max(abs(value), error))))
    power = power if not -4 < power < 6 else 0
    scale = 10.0**-power
    decimals = max(0, 1 - int(np.floor(np.log10(error * scale))))
    both = f"{value * scale:.{decimals}f} ± {error * scale:.{decimals}f}"
    return f"({with_minus(both)})e{with_minus(str(power))}" if power else with_minus(both)


def exact_text(finding: Finding, k: int) -> str:
    """A number by theory; empty where none is known."""
    exact = float(finding.exact[k])
    if np.isnan(exact):
        return ""
    if _is_inverse(finding, k):
        return f"1/{significant(1 / exact, 6)}"
    return with_minus(significant(exact, 6))


def theirs_text(finding: Finding, k: int) -> str:
    """The standard error of a printed number; empty where it is not random, or unknown."""
    error = float(finding.theirs[k])
    if not error > 0:
        return ""
    return f"± {_percent(error) if finding.claim.is_factor else with_minus(significant(error, 2))}"


def _is_inverse(finding: Finding, k: int) -> bool:
    return finding.claim.printed[k].startswith("1/")


def _percent(fraction: float) -> str:
    return f"{significant(100 * fraction, 2)} %"


def how_read(source: Source) -> str:
    """How the numbers were come by, such as "in the source, computed from its formula"."""
    return f"{source.read}{', computed ' * bool(source.computed)}{source.computed}"


def cited(source: Source) -> str:
    """A source as a reading list names it."""
    return f"{source.authors} {source.year}, {source.title}, {source.where}"
