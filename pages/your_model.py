"""Your model: any network checked before its first step, there and back."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.probe import document
from core.probe.report import Report
from core.specimens import SPECIMENS
from pages.checking import choice, own
from pages.checking.choice import Chosen
from pages.words import page
from pages.work import answers
from pages.work.progress import Progress, place_over_the_next


def _examined(chosen: Chosen, judged_in: str, draws: int, place: str) -> Report | None:
    """The report on a specimen; None where the host refuses it, and says why."""
    title = SPECIMENS[chosen.name].title
    progress = Progress(place_over_the_next(place), f"Running {title} there and back…")
    try:
        return answers.examined(chosen.name, chosen.values, draws, judged_in, progress)
    except ValueError as error:
        page.warn([str(error)])
        return None
    finally:
        progress.done()


def _tell(report: Report) -> None:
    """Draw the verdict and what was found."""
    st.html(document.verdict(report) + document.findings(report))


def _mend(report: Report) -> None:
    """Draw what to multiply by."""
    remedy = document.remedy(report)
    if remedy:
        st.html(f"<h2 class='gi-heading'>What to multiply by</h2>{remedy}")


def _files(report: Report, name: str) -> None:
    """Draw the buttons that keep the report as a page of its own and as numbers."""
    with st.container(horizontal=True):
        for label, text, kind, mime in (
            ("Report as a page", document.whole(report), "html", "text/html"),
            ("Report as JSON", report.to_text(), "json", "application/json"),
        ):
            st.download_button(label, text, f"good-init-{name}.{kind}", mime, key=f"as_{kind}")


def _network() -> None:
    """Draw a specimen, alone or beside another."""
    chosen = choice.specimen()
    st.html(f'<p class="gi-words">{SPECIMENS[chosen.name].about}</p>')
    with st.container(horizontal=True, vertical_alignment="bottom", key="judging"):
        judged_in, draws = choice.judged()
        place = st.empty()
    report = _examined(chosen, judged_in, draws, "_first")
    with place:
        compared = choice.beside(has_factors=report is None or report.after is not None)
    other = choice.specimen(second=True) if compared == choice.ANOTHER else None
    choice.write_link()
    if report is None:
        return
    drawn = {chosen.label: report}
    if other is not None and other != chosen:
        second = _examined(other, judged_in, draws, "_second")
        drawn |= {other.label: second} if second is not None else {}
    _show(report, drawn, compared, chosen.name)


def _own() -> None:
    """Draw a report from a file, alone or beside another."""
    report = own.report_from_file()
    if report is None:
        choice.write_link()
        return
    compared = choice.beside(has_factors=report.after is not None)
    drawn = {report.evidence.model: report}
    if compared == choice.ANOTHER:
        second = own.dropped("And the other report.json", "other_report")
        drawn |= {f"{second.evidence.model}, the other": second} if second is not None else {}
    choice.write_link()
    _show(report, drawn, compared, "report")


def _show(report: Report, drawn: dict[str, Report], compared: str, name: str) -> None:
    """Draw the verdict, the ladder, the factors and the files."""
    if compared == choice.FACTORS and report.after is not None:
        drawn = {"as it is": report, "with its factors": report.after}
    _tell(report)
    for label, each in list(drawn.items())[1:]:
        st.html(f'<h2 class="gi-heading">Beside it: {escape(label)}</h2>{document.verdict(each)}')
    st.html(document.rungs(drawn))
    _mend(report)
    _files(report, name)


page.style()
st.html(f"<style>{document.style()} .gi-ladder {{ --gi-top: 3rem; }}</style>")
st.html(
    "<h1 class='gi-title'>Your model, checked before its first step</h1>"
    "<p class='gi-words'>The network is built and run once there and back, on random numbers: "
    "which part of it explodes, vanishes, dies, saturates or leaves its number format, and what to "
    "multiply by.</p>"
)
page.warn(choice.adopt_link())
if choice.source() == choice.OWN:
    _own()
else:
    _network()
