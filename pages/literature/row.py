"""A row of the page: a claim with its source, its numbers, and what became of it, as HTML."""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape
from urllib.parse import urlencode

from core.charts.sparkline import sparkline
from core.papers import Claim, Finding, Verdict
from core.papers.words import SIGNS, cited, exact_text, measured_text, theirs_text
from core.text import typeset, unbroken, with_minus
from pages.controls.state import without_defaults

_STYLES: dict[Verdict | None, str] = {
    "agrees": "good",
    "agrees but for their sampling error": "good",
    "differs": "far",
    None: "open",
}
_READ = {
    "in the source": "Read in the source",
    "as commonly quoted": "As commonly quoted, not read in the source",
}
_LEFT = "the networks measured are not where theory has them"
_WAITING, _NONE = "…", "–"
_LONG = 9  # characters of a published number that a row has room for
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
_ELSEWHERE = ' target="_blank" rel="noopener"'


def head(topic: str) -> str:
    """The heading of a topic, and of the columns below it."""
    columns = "".join(f"<span>{name}</span>" for name in ("", "published", "measured", "exact"))
    return (
        f'<div class="gi-claims-head"><h2 class="gi-heading">{escape(topic)}</h2>{columns}'
        "<span></span><span></span></div>"
    )


def row(finding: Finding, *, opened: bool, goes_on: bool) -> str:
    """A claim as HTML: a line that folds out into its story and all of its numbers.

    Args:
        finding: what is known of it.
        opened: whether it is folded out at first.
        goes_on: whether what is not measured will be.
    """
    claim, source = finding.claim, finding.claim.source
    missing = _WAITING if goes_on and not finding.problem else _NONE
    by = f"{source.authors} {source.year}" + (", " + source.computed) * bool(source.computed)
    return (
        f'<details class="gi-claim" data-name="{claim.name}"{" open" * opened}><summary>'
        f'<span class="gi-claim-title">{_text(claim.title)}<small>{escape(by)}</small></span>'
        f"{_headline(finding, missing)}<span>{_picture(finding)}</span>"
        f"{_sign(finding, missing)}</summary>"
        f"{_story(claim)}{_numbers(finding, missing)}{_links(claim)}</details>"
    )


def _text(text: str) -> str:
    return typeset(escape(unbroken(text)))


def _headline(finding: Finding, missing: str) -> str:
    """One published number with its error, beside what is measured and what theory says."""
    k = finding.headline
    printed, theirs = with_minus(finding.claim.printed[k]), theirs_text(finding, k)
    shown = escape(printed if len(printed) <= _LONG else printed[:_LONG] + "…")
    cells = {
        "published": shown + f" <small>{escape(theirs)}</small>" * bool(theirs),
        "measured": escape(measured_text(finding, k) or missing),
        "exact": escape(exact_text(finding, k) or _NONE),
    }
    return f'<span class="gi-claim-at">{_text(finding.claim.at[k])}</span>' + "".join(
        f'<span class="gi-claim-number" data-label="{label}">{text}</span>'
        for label, text in cells.items()
    )


def _picture(finding: Finding) -> str:
    """The sparkline as an image: a page drops the tags of SVG."""
    drawn = sparkline(finding)
    if not drawn:
        return ""
    data = b64encode(drawn.encode()).decode()
    told = f"{finding.claim.title}: published as dots, measured as a line"
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(told)}">'


def _sign(finding: Finding, missing: str) -> str:
    """The verdict once it is measured; what is worse than each verdict comes before it."""
    verdict = finding.verdict if finding.networks else None
    text = missing if verdict is None else f"{SIGNS[verdict]} {verdict}"
    style = _STYLES[verdict]
    if finding.problem:
        text, style = "could not be measured", "far"
    elif finding.networks and not finding.follows_theory:
        text, style = f"! {_LEFT}", "far"
    return f'<span class="gi-sign gi-{style}">{escape(text)}</span>'


def _story(claim: Claim) -> str:
    """Where it was printed, and what was asked, found and seen, a paragraph each."""
    told = (
        ("They asked:", claim.asked),
        ("They found:", claim.found),
        ("You see in Explore:", claim.seen),
        ("Why it differs:", claim.why),
        ("Tolerance:", f"{100 * claim.within:.3g} %, for {claim.because}." * bool(claim.because)),
    )
    story = "".join(f"<p><b>{label}</b> {_text(text)}</p>" for label, text in told if text)
    source = claim.source
    link = rf'<a href="https://arxiv.org/abs/\1"{_ELSEWHERE}>arXiv:\1</a>'
    place = f"{_ARXIV.sub(link, escape(cited(source)))}: {_text(source.place)}"
    read = _READ[source.read] + ("; computed " + source.computed) * bool(source.computed)
    return f'<p class="gi-cited">{place}. {escape(read)}.</p>{story}'


def _numbers(finding: Finding, missing: str) -> str:
    """All numbers as a table."""
    claim = finding.claim
    labels = ["published", "measured", "exact", "verdict"]
    if claim.drawn is not None:
        labels.insert(1, "their error")
    body = "".join(
        f'<tr><th scope="row">{_text(claim.at[k])}</th>{_cells(finding, k, labels, missing)}</tr>'
        for k in range(len(claim.at))
    )
    heads = "".join(f'<th scope="col">{label}</th>' for label in ("number", *labels))
    note = f"<p>{_note(finding)}</p>" if finding.networks or finding.problem else ""
    return (
        f'<div class="gi-table"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table>{note}</div>"
    )


def _cells(finding: Finding, k: int, labels: list[str], missing: str) -> str:
    verdict = finding.each[k] if finding.networks else None
    texts = {
        "published": with_minus(finding.claim.printed[k]) or _NONE,
        "their error": theirs_text(finding, k) or (_NONE if finding.networks else missing),
        "measured": measured_text(finding, k) or missing,
        "exact": exact_text(finding, k) or _NONE,
        "verdict": f"{SIGNS[verdict]} {verdict}" if verdict else "",
    }
    return "".join(f'<td data-label="{label}">{escape(texts[label])}</td>' for label in labels)


def _note(finding: Finding) -> str:
    if finding.problem:
        return f"It could not be measured: {escape(finding.problem)}"
    ours = f"Measured: the mean of {finding.networks} networks ± its standard error."
    drawn = finding.claim.drawn
    if drawn is None:
        return ours
    theirs = "one network" if drawn == 1 else f"the mean of {drawn} networks"
    return (
        f"{ours} Their error: by how much {theirs} like those measured here scatters, one standard "
        f"deviation. The published number comes from {theirs} too."
    )


def _links(claim: Claim) -> str:
    """Links to what the row shows, as seen from this page."""
    base = without_defaults(claim.experiment.to_query())
    places = {"Open in Explore": ("./", base)}
    if claim.landscape is not None:
        around = without_defaults(claim.landscape.base.to_query())
        places["Open the map"] = ("phase-diagram", claim.landscape.to_query() | around)
    places["Link to this row"] = ("papers", {"row": claim.name})
    links = (
        f'<a href="{escape(_address(path, query))}"{_ELSEWHERE * (path != "papers")}>{label}</a>'
        for label, (path, query) in places.items()
    )
    return f'<p class="gi-links">{"".join(links)}</p>'


def _address(path: str, query: dict[str, str | None]) -> str:
    return f"{path}?{urlencode({name: text for name, text in query.items() if text is not None})}"
