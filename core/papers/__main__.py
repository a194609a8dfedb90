"""The table of published numbers: ``python -m core.papers [NAME …] [--small]``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from difflib import get_close_matches

from . import CLAIMS, Claim, Finding, reproduce
from .words import exact_text, how_read, measured_text

_HEAD = ("", "printed", "measured", "exact", "")


def _row(finding: Finding, k: int) -> tuple[str, ...]:
    return (
        finding.claim.at[k],
        finding.claim.printed[k],
        measured_text(finding, k),
        exact_text(finding, k),
        finding.each[k] or "",
    )


def table(finding: Finding, seconds: float) -> str:
    """A claim's source, its numbers, aligned, and what it says if it differs."""
    claim = finding.claim
    rows = [_HEAD, *(_row(finding, k) for k in range(len(claim.at)))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    source = claim.source
    told = "" if finding.is_as_told else "  NOT AS ITS ENTRY SAYS"
    lines = [f"{claim.name}: {claim.title} ({seconds:.1f} s){told}"]
    lines.append(
        f"   {source.authors} {source.year}, {source.where}: {source.place}; {how_read(source)}"
    )
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:4], widths[1:4], strict=True)]
        lines.append("   " + "  ".join([*cells, row[4]]).rstrip())
    if claim.why:
        lines.append(f"   {claim.why}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m {__package__}",
        description="Numbers that the literature printed on initialisation, measured again: mean ± "
        "standard error over networks, the exact value where theory knows one, and whether the "
        "printed number agrees.",
        epilog="The exit code is 1 if a row is not what its entry says.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="rows; all where none is given")
    parser.add_argument("--small", action="store_true", help="few networks, for a quick look")
    return parser


def _chosen(names: list[str]) -> list[Claim]:
    """The claims of these names, all of them where there is none.

    Raises:
        ValueError: there is no such row; names those that are spelt alike, or all.
    """
    unknown = [name for name in names if name not in CLAIMS]
    for name in unknown:
        near = get_close_matches(name.casefold(), CLAIMS, n=3)
        hint = f"perhaps {' or '.join(near)}" if near else f"there are {', '.join(CLAIMS)}"
        raise ValueError(f"there is no row {name!r}; {hint}")
    return [CLAIMS[name] for name in dict.fromkeys(names or CLAIMS)]


def main(arguments: list[str] | None = None) -> int:
    """Print the rows; 1 if one is not what its entry says, 2 and a message for an unknown name."""
    options = _parser().parse_args(arguments)
    try:
        claims = _chosen(options.names)
    except ValueError as error:
        print(f"python -m {__package__}: {error}", file=sys.stderr)
        return 2
    begin, verdicts, untold = time.perf_counter(), list[str](), list[str]()
    for claim in claims:
        start = time.perf_counter()
        finding = reproduce(claim, small=options.small)
        print(table(finding, time.perf_counter() - start), end="\n\n")
        verdicts.append(str(finding.verdict))
        untold += [] if finding.is_as_told else [claim.name]
    counts = (f"{each} {verdicts.count(each)}" for each in dict.fromkeys(verdicts))
    rows = f"{len(claims)} row{'s' * (len(claims) > 1)}"
    print(f"{rows} in {time.perf_counter() - begin:.1f} s: {', '.join(counts)}.")
    if untold:
        print(f"Not as their entries say: {', '.join(untold)}.")
    return 1 if untold else 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        sys.exit(main())
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
