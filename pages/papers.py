"""Papers: what the literature printed, measured again, beside what theory says."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.papers import CLAIMS, TOPICS, Finding, Verdict
from core.papers.records import to_csv
from core.papers.words import SIGNS, cited
from core.text import shown
from pages.controls import arrival, refresh
from pages.literature.row import head, row
from pages.words import page
from pages.work import answers
from pages.work.jobs import TookTooLong, Unfinished
from pages.work.queue import QueueFull

_ALL = "all"
_CHOICES = {"topic": (_ALL, *TOPICS), "verdict": (_ALL, *SIGNS)}
_VERBS: dict[Verdict, tuple[str, str]] = {
    "agrees": ("agree", "agrees"),
    "agrees but for their sampling error": (
        "agree but for their sampling error",
        "agrees but for its sampling error",
    ),
    "differs": ("differ", "differs"),
}
_BEGUN = "_papers_begun"
_FIRST_WAIT, _NO_WAIT = 0.5, 0.05  # seconds
_NEXT_LOOK = 2.0  # seconds


def _known() -> tuple[tuple[Finding, ...], bool, str]:
    """What is known of every claim, whether more will be, and why there is not more at once."""
    is_first = not st.session_state.setdefault(_BEGUN, False)
    st.session_state[_BEGUN] = True
    goes_on, problem, measured = False, "", ()
    try:
        measured = answers.findings(patience=_FIRST_WAIT if is_first else _NO_WAIT)
    except Unfinished as unfinished:
        goes_on, measured = True, unfinished.so_far or ()
    except TookTooLong as error:
        problem = "This host stops work that takes so long. Load the page again to go on with it."
        measured = error.so_far or ()
    except QueueFull:
        goes_on = True
        problem = "This host is busy: the numbers are measured as soon as there is a free place."
    theory = answers.by_theory() if len(measured) < len(CLAIMS) else ()
    found = {each.claim.name: each for each in (*theory, *measured)}
    return tuple(found.values()), goes_on, problem


def _refuse_choices() -> list[str]:
    """Sentences on what a link asks for and is not there; its default is used."""
    told = []
    for name, choices in _CHOICES.items():
        asked = st.query_params.get(name, _ALL)
        if asked not in choices:
            told.append(
                f"{name} must be one of {', '.join(choices)}, got {shown(asked)}: all is used"
            )
    asked = st.query_params.get("row")
    if asked is not None and asked not in CLAIMS:
        told.append(f"row must be a name of this table, got {shown(asked)}: all are shown")
    return told


def _filter(findings: Sequence[Finding], *, is_whole: bool) -> list[Finding]:
    """Draw the filter and the file of all rows; returns the rows that the filter leaves.

    Args:
        findings: all rows.
        is_whole: whether nothing more will be measured, so that the file can be written.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", key="filter"):
        words = st.text_input(
            "Find", key="find", bind="query-params", placeholder="a word, an author, a year"
        )
        topic = st.selectbox("Topic", _CHOICES["topic"], key="topic", bind="query-params")
        verdict = st.selectbox("Verdict", _CHOICES["verdict"], key="verdict", bind="query-params")
        st.download_button(
            "Download CSV",
            to_csv(findings) if is_whole else "",
            "good-init-papers.csv",
            "text/csv",
            key="csv",
            disabled=not is_whole,
        )
    return [each for each in findings if _is_wanted(each, words or "", topic, verdict)]


def _is_wanted(finding: Finding, words: str, topic: str, verdict: str | Verdict) -> bool:
    claim = finding.claim
    text = " ".join((claim.name, claim.title, cited(claim.source), claim.asked, claim.found))
    has_words = all(word in text.casefold() for word in words.casefold().split())
    return has_words and topic in (_ALL, claim.topic) and verdict in (_ALL, finding.verdict)


def _summary(findings: Sequence[Finding], *, goes_on: bool) -> str:
    """How many of the rows shown agree and differ, as a sentence."""
    counts = (
        f"{count} {_VERBS[verdict][count == 1]}"
        for verdict in SIGNS
        if (count := sum(each.verdict == verdict for each in findings))
    )
    of_all = "" if len(findings) == len(CLAIMS) else f" of {len(CLAIMS)}"
    told = f"{len(findings)}{of_all} published results: {', '.join(counts)}."
    left = sum(each.networks > 0 and not each.follows_theory for each in findings)
    if left:
        told += f" Networks are not where theory has them in {left}."
    measured = sum(each.networks > 0 for each in findings)
    return told + (f" {measured} of them measured so far." if goes_on else "")


def _table(findings: Sequence[Finding], *, opened: bool = False) -> None:
    """Draw rows, each an element of its own: one that is folded out stays so while others come."""
    with st.container(key="claims", gap=None):
        for topic in TOPICS:
            rows = [each for each in findings if each.claim.topic == topic]
            if rows:
                st.html(head(topic))
            for each in rows:
                st.html(row(each, opened=opened))
    if not findings:
        st.html('<p class="gi-words">No row has all of these.</p>')


def _page() -> None:
    arrival.remember_page("papers")
    page.warn(_refuse_choices())
    findings, goes_on, problem = _known()
    page.warn([problem] if problem else [])
    alone = st.query_params.get("row")
    if alone in CLAIMS:
        st.html('<p class="gi-words">One row. <a href="papers">All published numbers</a></p>')
        _table([each for each in findings if each.claim.name == alone], opened=True)
    else:
        wanted = _filter(findings, is_whole=not goes_on)
        if wanted:
            st.html(f'<p class="gi-words" role="status">{_summary(wanted, goes_on=goes_on)}</p>')
        _table(wanted)
    if goes_on:
        refresh.soon(_NEXT_LOOK)


page.style()
page.steady_style()
st.html(
    "<h1 class='gi-title'>What papers and lectures printed, measured again in front of you</h1>"
    "<p class='gi-words'>Each row is a number that was published on initialisation, the mean of "
    "networks that are drawn here with its standard error, and the exact value where theory knows "
    "it. A row folds out into its source and its story. Nothing is tuned to agree.</p>"
)
_page()
