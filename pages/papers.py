"""Papers: what the literature printed, measured again, beside what theory says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.papers import CLAIMS, TOPICS, Finding, Verdict
from core.papers.records import to_csv
from core.papers.words import SIGNS, cited
from core.text import shown
from pages.controls import arrival, refresh, state
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
_PAGE = "papers"
_BEGUN, _FILTER = "_papers_begun", "_papers_filter"
_folding = st.components.v2.component(
    "good_init_folding", js=(Path(__file__).parent / "literature" / "folding.js").read_text()
)
_FIRST_WAIT, _NO_WAIT = 0.5, 0.05  # seconds
_NEXT_LOOK = 2.0  # seconds


def _known(names: tuple[str, ...]) -> tuple[tuple[Finding, ...], bool, str]:
    """What is known of claims, whether more will be, and why there is not more at once."""
    is_first = not st.session_state.setdefault(_BEGUN, False)
    st.session_state[_BEGUN] = True
    goes_on, problem, measured = False, "", ()
    try:
        measured = answers.findings(names, patience=_FIRST_WAIT if is_first else _NO_WAIT)
    except Unfinished as unfinished:
        goes_on, measured = True, unfinished.so_far or ()
    except TookTooLong as error:
        problem = "This host stops work that takes so long. Load the page again to go on with it."
        measured = error.so_far or ()
    except QueueFull:
        goes_on = True
        problem = "This host is busy: the numbers are measured as soon as there is a free place."
    theory = answers.by_theory(names) if len(measured) < len(names) else ()
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
            "All as CSV",
            to_csv(findings) if is_whole else "",
            "good-init-papers.csv",
            "text/csv",
            key="csv",
            disabled=not is_whole,
        )
    st.session_state[_FILTER] = {"find": words, "topic": topic, "verdict": verdict}
    return [each for each in findings if _is_wanted(each, words or "", topic, verdict)]


def _is_wanted(finding: Finding, words: str, topic: str, verdict: str | Verdict) -> bool:
    """Whether every word begins a word of the row, and topic and verdict are those asked for."""
    claim = finding.claim
    told = (claim.title, claim.asked, claim.found, claim.seen, claim.why)
    text = _plain(" ".join((claim.name, claim.topic, cited(claim.source), *told)))
    has_words = all(re.search(rf"(?<!\w){re.escape(word)}", text) for word in _plain(words).split())
    is_told = verdict == _ALL or (finding.networks > 0 and verdict == finding.verdict)
    return has_words and topic in (_ALL, claim.topic) and is_told


def _plain(text: str) -> str:
    """A text in small letters, with the apostrophe of keyboards."""
    return text.casefold().replace("’", "'")


def _summary(findings: Sequence[Finding], *, goes_on: bool) -> str:
    """How many of the rows shown agree and differ, as a sentence."""
    measured = [each for each in findings if each.networks]
    counts = [
        f"{count} {_VERBS[verdict][count == 1]}"
        for verdict in SIGNS
        if (count := sum(each.verdict == verdict for each in measured))
    ]
    left = sum(not each.follows_theory for each in measured)
    counts += [f"the networks of {left} are not where theory has them"] if left else []
    of_all = "" if len(findings) == len(CLAIMS) else f" of {len(CLAIMS)}"
    so_far = f", {len(measured)} measured so far" if goes_on else ""
    told = f": {', '.join(counts)}" if counts else ""
    return f"{len(findings)}{of_all} published results{so_far}{told}."


def _table(findings: Sequence[Finding], *, goes_on: bool, opened: bool = False) -> None:
    """Draw rows, each an element of its own; those folded out stay so while others come."""
    with st.container(key="claims", gap=None):
        for topic in TOPICS:
            rows = [each for each in findings if each.claim.topic == topic]
            if rows:
                st.html(head(topic))
            for each in rows:
                st.html(row(each, opened=opened, goes_on=goes_on))
    if not findings:
        st.html('<p class="gi-words">No row has all of these.</p>')
    _folding(key="folding")


def _one_row(name: str) -> None:
    """Draw a row alone, as its link asks."""
    findings, goes_on, problem = _known((name,))
    page.warn([problem] if problem else [])
    told = "One row, which is measured now." if goes_on else "One row."
    st.html(
        f'<p class="gi-words" role="status">{told} <a href="papers">All published numbers</a></p>'
    )
    _table(findings, goes_on=goes_on, opened=True)
    if goes_on:
        refresh.soon()


def _all_rows() -> None:
    """Draw the table and its filter."""
    findings, goes_on, problem = _known(tuple(CLAIMS))
    page.warn([problem] if problem else [])
    wanted = _filter(findings, is_whole=not goes_on)
    if wanted:
        told = _summary(wanted, goes_on=goes_on)
        st.html(f'<p class="gi-words" role="status">{told}</p>')
    _table(wanted, goes_on=goes_on)
    if goes_on:
        refresh.soon(_NEXT_LOOK)


def _restore_filter() -> None:
    """Take the filter up again after a look at another page."""
    remembered = st.session_state.get(_FILTER, {})
    arrives = st.session_state.get(state.PAGE, _PAGE) != _PAGE
    if arrives and not st.query_params:
        for name, value in remembered.items():
            st.session_state[name] = value


page.style()
page.steady_style()
st.html(
    "<h1 class='gi-title'>What papers and lectures printed, measured again in front of you</h1>"
    "<p class='gi-words'>Each row is a number that was published on initialisation, the mean of "
    "networks that are drawn here with its standard error, and the exact value where theory knows "
    "it. A row folds out into its source and its story. Nothing is tuned to agree.</p>"
)
page.warn(_refuse_choices())
_restore_filter()
arrival.remember_page(_PAGE)
asked = st.query_params.get("row")
if asked in CLAIMS:
    _one_row(asked)
else:
    _all_rows()
