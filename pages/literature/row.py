"""A row of the page: a claim with its source, its numbers, and what became of it, as HTML."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

from core.charts.sparkline import sparkline
from core.papers import Finding, Verdict
from core.papers.words import SIGNS, cited, exact_text, measured_text
from core.text import typeset
from pages.controls.state import without_defaults

_STYLES: dict[Verdict | None, str] = {
    "agrees": "good",
    "agrees but for their sampling error": "good",
    "differs": "far",
    None: "open",
}
_WAITING = "…"


def row(finding: Finding, *, opened: bool) -> str:
    """A claim as HTML: a line that folds out into its story and all of its numbers.

    Args:
        finding: what is known of it.
        opened: whether it is folded out at first.
    """
    claim, source = finding.claim, finding.claim.source
    story = "".join(
        f"<p><b>{label}</b> {typeset(escape(text))}</p>"
        for label, text in (
            ("They asked:", claim.asked),
            ("They found:", claim.found),
            ("You see:", claim.seen),
            ("Why it differs:", claim.why),
            ("Tolerance:", claim.because),
        )
        if text
    )
    return (
        f'<details class="gi-claim" id="{claim.name}"{" open" * opened}><summary>'
        f'<span class="gi-claim-title">{typeset(escape(claim.title))}'
        f"<small>{escape(source.authors)} {source.year}</small></span>"
        f"{_headline(finding)}{sparkline(finding)}{_sign(finding.verdict)}</summary>"
        f'<p class="gi-cited">{escape(cited(source))}: {escape(source.place)}. '
        f"{_read(source.read)}</p>{story}{_numbers(finding)}"
        f'<p><a href="{escape(_address(finding))}" target="_blank" rel="noopener">'
        "Open in Explore</a></p></details>"
    )


def _read(how: str) -> str:
    return {
        "in the source": "Read in the source.",
        "from its formula": "Computed from its formula.",
        "as commonly quoted": "As commonly quoted: we have not read it in the source.",
    }[how]


def _headline(finding: Finding) -> str:
    """The last printed number, beside what is measured."""
    last = max(k for k, text in enumerate(finding.claim.printed) if text)
    measured = measured_text(finding, last) or _WAITING
    return (
        f'<span class="gi-claim-numbers"><span><small>printed</small> '
        f"{escape(finding.claim.printed[last])}</span>"
        f"<span><small>measured</small> {escape(measured)}</span></span>"
    )


def _sign(verdict: Verdict | None) -> str:
    text = _WAITING if verdict is None else f"{SIGNS[verdict]} {verdict}"
    return f'<span class="gi-sign gi-{_STYLES[verdict]}">{escape(text)}</span>'


def _numbers(finding: Finding) -> str:
    """All numbers as a table."""
    claim = finding.claim
    body = "".join(
        f'<tr><th scope="row">{typeset(escape(claim.at[k]))}</th>'
        + "".join(
            f'<td data-label="{label}">{escape(text)}</td>'
            for label, text in (
                ("printed", claim.printed[k] or "–"),
                ("measured", measured_text(finding, k) or _WAITING),
                ("exact", exact_text(finding, k) or "–"),
                ("", finding.each[k] or ""),
            )
        )
        + "</tr>"
        for k in range(len(claim.at))
    )
    networks = f"Measured: mean ± standard error of {finding.networks} networks."
    return (
        '<div class="gi-table"><table><thead><tr><th></th><th scope="col">printed</th>'
        '<th scope="col">measured</th><th scope="col">exact</th><th></th></tr></thead>'
        f"<tbody>{body}</tbody></table>{f'<p>{networks}</p>' if finding.networks else ''}</div>"
    )


def _address(finding: Finding) -> str:
    """The address of Explore with the row's experiment, seen from this page."""
    texts = without_defaults(finding.claim.experiment.to_query())
    return f"./?{urlencode({name: text for name, text in texts.items() if text is not None})}"
