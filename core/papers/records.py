"""The table of published numbers as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from .finding import Finding
from .words import cited

_COLUMNS = (
    *("name", "topic", "title", "source", "place", "read", "at"),
    *("printed", "networks", "measured", "standard_error", "exact", "verdict"),
)


def to_csv(findings: Iterable[Finding]) -> str:
    """One line for each number; numbers in full, empty where there is none.

    The standard error of a claim that compares by ratio is that of the natural logarithm.

    Args:
        findings: the rows, in this order.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for finding in findings:
        claim = finding.claim
        about = (claim.name, claim.topic, claim.title, cited(claim.source), claim.source.place)
        for k, at in enumerate(claim.at):
            numbers = (finding.measured[k], finding.error[k], finding.exact[k])
            measured, error, exact = ("" if x != x else repr(float(x)) for x in numbers)
            found = (finding.networks, measured, error, exact, finding.each[k] or "")
            writer.writerow((*about, claim.source.read, at, claim.printed[k], *found))
    return out.getvalue()
