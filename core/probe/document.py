"""A report as HTML: its verdict, its findings, what to multiply by, and the ladder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path

from ..text import listed, significant, with_minus
from .evidence import Evidence
from .fitting import Factor
from .ladder import ladder
from .report import Finding, Report

_PLACES = 4  # of a rule that are named; the others are counted
_WAYS = {"forward": "forward", "backward": "backward", "weights": "in the weights"}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_SHEET = """
:root { color-scheme: light dark; }
body { font: 16px/1.45 system-ui, sans-serif; max-width: 75rem; margin: 1.5rem auto;
  padding: 0 1rem;
  color: light-dark(#1c2430, #e8ecf2); background: light-dark(#ffffff, #10151d); }
h1 { font-size: 1.35rem; } h2 { font-size: 1.1rem; margin: 1.6rem 0 0.4rem; }
"""


@cache
def style() -> str:
    """The style sheet of all that is drawn here."""
    return (Path(__file__).parent / "ladder.css").read_text()


def verdict(report: Report) -> str:
    """The word and both sentences."""
    healthy = ' class="gi-healthy"' * report.is_healthy
    return (
        f'<p class="gi-check-verdict" role="status"><b{healthy}>{escape(report.word)}</b> '
        f"{escape(with_minus(f'{report.forward} {report.backward}'))}</p>{_asked(report.evidence)}"
    )


def _asked(e: Evidence) -> str:
    """What the model was run on, and what the gradient is of."""
    shapes = listed([" × ".join(map(str, each)) for each in e.inputs]) or "no tensor"
    seeds = "one draw of the weights" if e.seeds == 1 else f"{e.seeds} draws of the weights"
    if e.loss is None:
        of = "the gradient is that of a random direction, N(0, 1) at every output"
    else:
        of = f"the loss before the first step is {significant(e.loss.value, 4)}"
        if e.loss.by_chance is not None:
            of += f", and ln {e.loss.classes} = {significant(e.loss.by_chance, 4)}"
    missed = f" {e.missed} calls more were not recorded." * bool(e.missed)
    told = f"{e.model} on {shapes}, {seeds}; {of}.{missed}"
    return f'<p class="gi-words">{escape(with_minus(told))}</p>'


def findings(report: Report) -> str:
    """What the rules found, the worst first, each with its places and what to do."""
    by_rule: dict[str, list[Finding]] = {}
    for each in report.findings:
        by_rule.setdefault(each.rule, []).append(each)
    return "".join(_finding(each) for each in by_rule.values())


def _finding(places: Sequence[Finding]) -> str:
    first = places[0]
    told = [_place(each) for each in places[:_PLACES]]
    rest = f", and at {len(places) - _PLACES} more" if len(places) > _PLACES else ""
    allowed = escape(with_minus(first.threshold))
    return (
        f'<div class="gi-finding"><p><b>{escape(first.word.capitalize())}</b>, '
        f"{_WAYS[first.way]}: {'; '.join(told)}{rest}. Allowed: {allowed}.</p>"
        f"<p>{escape(first.why)} <b>What to do:</b> {escape(with_minus(first.todo))}</p></div>"
    )


def _place(each: Finding) -> str:
    number = escape(with_minus(each.number))
    return f"{number} at <code>{escape(each.module)}</code>" if each.module else number


def remedy(report: Report) -> str:
    """The factors of all matrices, the verdict on the model with them, and the lines to paste."""
    changed = [each for each in report.factors if each.factor != 1]
    if not changed or report.after is None:
        return ""
    after = report.after
    rows = "".join(_factor(each) for each in changed)
    return (
        f'<div class="gi-factors"><p>{len(changed)} matrices multiplied by these factors, and the '
        f"model run once more: <b>{escape(after.word)}</b>. "
        f"{escape(with_minus(f'{after.forward} {after.backward}'))}</p>"
        f"<details><summary>The factors</summary><table><thead><tr><th>parameter</th>"
        "<th>factor</th><th>rms of its output then</th><th>the rule that draws such weights</th>"
        f"</tr></thead><tbody>{rows}</tbody></table></details>"
        f"<details><summary>Lines to paste</summary><pre><code>{escape(report.lines)}</code></pre>"
        "</details></div>"
    )


def _factor(each: Factor) -> str:
    cells = (significant(each.factor, 4), significant(each.wanted), each.rule)
    body = "".join(f"<td>{escape(with_minus(cell))}</td>" for cell in cells)
    return f"<tr><td><code>{escape(each.parameter)}</code></td>{body}</tr>"


def rungs(reports: Mapping[str, Report]) -> str:
    """The ladder of one report, or of two to be compared; a ring is on findings of the second."""
    troubled: dict[str, list[str]] = {}
    for ring, report in zip(("", "○ "), reports.values(), strict=False):
        for each in report.findings:
            troubled.setdefault(each.module, []).append(f"{ring}{each.word}")
    return ladder({label: each.evidence for label, each in reports.items()}, troubled)


def inside(report: Report) -> str:
    """The report without its style sheet, as a notebook shows it."""
    parts = [verdict(report), findings(report), rungs({report.evidence.model: report})]
    if report.after is not None:
        both = {"before": report, "after": report.after}
        parts += ["<h2>What to multiply by</h2>", remedy(report), rungs(both)]
    return "".join(parts)


def whole(report: Report) -> str:
    """The report as a page of its own, which needs no network and runs no script."""
    title = f"{report.evidence.model}: {report.word}"
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - Good Init</title><style>{style()}{_SHEET}</style></head>"
        f"<body><main><h1>{escape(report.evidence.model)} before its first step</h1>"
        f"{inside(report)}</main></body></html>"
    )
