"""The table of published numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from .finding import Finding
from .words import cited

_COLUMNS = (
    *("name", "topic", "title", "source", "place", "read", "computed", "at", "printed"),
    *("drawn", "their_error", "tolerance", "because", "networks", "measured", "standard_error"),
    *("exact", "verdict", "why"),
)


def to_csv(findings: Iterable[Finding]) -> str:
    """One line for each number; numbers in full, empty where there is none.

    The errors of a claim that compares by ratio are those of the natural logarithm. ``drawn`` is
    the number of networks of which a printed number is the mean, empty if it is not random.

    Args:
        findings: the rows, in this order.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for finding in findings:
        claim = finding.claim
        source = claim.source
        about = (claim.name, claim.topic, claim.title, cited(source), source.place, source.read)
        for k, at in enumerate(claim.at):
            theirs = "" if claim.drawn is None else _written(finding.theirs[k])
            ours = (_written(x[k]) for x in (finding.measured, finding.error, finding.exact))
            printed = (claim.printed[k], claim.drawn or "", theirs, claim.within or "")
            told = (finding.each[k] or "", claim.why)
            where = (*about, source.computed, at)
            writer.writerow((*where, *printed, claim.because, finding.networks, *ours, *told))
    return out.getvalue()


def _written(number: float) -> str:
    """In full; empty where there is none."""
    return "" if number != number else repr(float(number))
