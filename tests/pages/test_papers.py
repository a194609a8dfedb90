"""The page of published numbers: its rows, its filter, its links, and what a link gets wrong."""

import csv
import io
import re
import threading
from dataclasses import replace
from functools import cache, partial
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from core import Experiment
from core.maps.landscape import Landscape
from core.papers import CLAIMS, TOPICS, Finding, blank, reproduce
from core.papers.words import exact_text, measured_text
from core.text import typeset, with_minus
from pages.work import answers
from pages.work.queue import QueueFull
from tests.pages.test_explore import problems, visited, words
from tests.pages.test_phase_diagram import components, settled

in_few_networks = cache(partial(reproduce, small=True))


@pytest.fixture
def few(monkeypatch):
    """Every row measured in few networks."""
    monkeypatch.setattr(answers, "_reproduced", in_few_networks)
    return {name: in_few_networks(claim) for name, claim in CLAIMS.items()}


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    """Every test begins without answers."""
    monkeypatch.setattr(answers, "work", cache(answers.work.__wrapped__))


def opened(**query):
    return settled(visited("pages/papers.py", query))


def rows(at):
    """Title -> the HTML of a row."""
    bodies = [block.proto.body for block in at.get("html")]
    claims = [body for body in bodies if body.startswith('<details class="gi-claim"')]
    titles = {reading(claim.title): name for name, claim in CLAIMS.items()}
    found = {}
    for body in claims:
        [title] = re.findall(r'gi-claim-title">(.*?)<small>', body)
        found[titles[words(title).replace("\xa0", " ")]] = body
    return found


def reading(text):
    """A text with indices as a viewer reads it."""
    return words(typeset(text))


def links(body):
    """Label -> (path, query) of the links of a row."""
    found = re.findall(r'<a href="([^"]*)"[^>]*>(.*?)</a>', body)
    parts = {label: urlsplit(unescape(href)) for href, label in found}
    return {
        label: (part.path, {name: texts[0] for name, texts in parse_qs(part.query).items()})
        for label, part in parts.items()
    }


def said(at):
    return [words(block.proto.body) for block in at.get("html")]


def test_the_page_shows_every_row_with_what_was_printed_measured_and_exact(few):
    at = opened()
    found = rows(at)
    assert list(found) == list(CLAIMS)
    for name, body in found.items():
        finding, read = few[name], words(body).replace("\xa0", " ")
        for k, printed in enumerate(finding.claim.printed):
            assert with_minus(printed) in read and measured_text(finding, k) in read
            assert exact_text(finding, k) in read
        assert finding.verdict in read and finding.claim.source.title in read
        assert reading(finding.claim.why) in read and "…" not in words(body.split("</summary>")[1])
    counts = [sum(each.verdict == v for each in few.values()) for v in ("agrees", "differs")]
    [summary] = [each for each in said(at) if "published results" in each]
    assert summary.startswith(f"{len(CLAIMS)} published results: {counts[0]} agree, ")
    assert summary.endswith(f"{counts[1]} differ.")


def test_topics_come_in_their_order_and_every_row_below_its_own(few):
    order = [
        each
        for each in said(opened())
        if any(each.startswith(topic + " published") for topic in TOPICS)
    ]
    assert [each.removesuffix(" published measured exact") for each in order] == list(TOPICS)


def test_printed_and_exact_numbers_are_there_before_anything_is_measured(monkeypatch):
    go = threading.Event()

    def slow(claim):
        assert go.wait(60)
        return blank(claim)

    monkeypatch.setattr(answers, "_reproduced", slow)
    at = visited("pages/papers.py", {})
    try:
        assert components(at, "refresh")
        assert f"{len(CLAIMS)} published results, 0 measured so far." in said(at)
        read = words(rows(at)["gelu-critical"]).replace("\xa0", " ")
        assert "1.98305826" in read and "0.172922" in read and "…" in read
        assert "agrees" not in read  # before a network was drawn
        waiting = words(rows(at)["makemore-std"])
        assert "0.75" in waiting and "0.759363" in waiting
    finally:
        go.set()
    settled(at)


def test_a_row_that_fails_is_told_in_its_place_and_the_others_stand(few, monkeypatch):
    def broken(claim):
        if claim.name == "he-vgg":
            raise RuntimeError("<b>no memory</b>")
        return in_few_networks(claim)

    monkeypatch.setattr(answers, "_reproduced", broken)
    found = rows(opened())
    assert "could not be measured" in found["he-vgg"]
    assert "&lt;b&gt;no memory" in found["he-vgg"] and "1/16728" in found["he-vgg"]
    assert sum("could not be measured" in body for body in found.values()) == 1


def test_networks_that_leave_theory_are_told(few, monkeypatch):
    def astray(claim):
        finding = in_few_networks(claim)
        off = claim.name == "he-vgg"
        return replace(finding, measured=2 * finding.measured) if off else finding

    monkeypatch.setattr(answers, "_reproduced", astray)
    at = opened()
    assert "not where theory has them" in rows(at)["he-vgg"]
    assert any("the networks of 1 are not where theory has them" in each for each in said(at))


def test_a_full_queue_leaves_what_theory_knows_and_asks_again(monkeypatch):
    def full(names, *, patience):
        raise QueueFull("too many")

    monkeypatch.setattr(answers, "findings", full)
    at = visited("pages/papers.py", {})
    assert "This host is busy" in " ".join(problems(at)) and components(at, "refresh")
    assert "0.172922" in rows(at)["gelu-critical"]


@pytest.mark.parametrize(
    "query, wanted",
    [
        ({"topic": "Number formats"}, lambda claim: claim.topic == "Number formats"),
        ({"find": "karpathy 2024"}, lambda claim: claim.name == "gpt-stream"),
        ({"verdict": "differs"}, lambda claim: bool(claim.why)),
        ({"find": "vgg"}, lambda claim: claim.name == "he-vgg"),
        ({"find": "Xavier’s relu"}, lambda claim: claim.name in ("he-xavier-relu", "cs231n-relu")),
        ({"find": "explode vanish"}, lambda claim: claim.topic == "Explode and vanish"),
        ({"find": "nothing has these words"}, lambda claim: False),
    ],
)
def test_a_filter_travels_in_the_link(few, query, wanted):
    at = opened(**query)
    assert list(rows(at)) == [name for name, claim in CLAIMS.items() if wanted(claim)]
    if rows(at):
        [summary] = [each for each in said(at) if "published results" in each]
        assert summary.startswith(f"{len(rows(at))} of {len(CLAIMS)} published results: ")
    assert ("No row has all of these." in said(at)) == (not rows(at))


def test_a_link_to_a_row_shows_it_alone_and_folded_out(few):
    at = opened(row="he-vgg")
    [(name, body)] = rows(at).items()
    assert name == "he-vgg" and re.match('<details class="gi-claim" data-name="he-vgg" open>', body)
    assert links(body)["Link to this row"] == ("papers", {"row": "he-vgg"})


def test_a_row_alone_is_measured_alone(monkeypatch):
    asked = []

    def noted(claim):
        asked.append(claim.name)
        return in_few_networks(claim)

    monkeypatch.setattr(answers, "_reproduced", noted)
    assert "±" in rows(opened(row="born-dead"))["born-dead"]
    assert asked == ["born-dead"]


def test_the_filter_is_there_again_after_a_look_at_another_page(few):
    at = opened(topic="Gains")
    count = len(rows(at))
    at.query_params.clear()
    at.switch_page("pages/width_sweep.py").run()
    at.query_params.clear()
    at.switch_page("pages/papers.py").run()
    assert not at.exception
    assert at.selectbox(key="topic").value == "Gains" and len(rows(settled(at))) == count
    at.selectbox(key="topic").select("all").run()
    assert len(rows(at)) == len(CLAIMS)


def test_links_open_the_experiment_and_the_map_of_a_row(few):
    for name, body in rows(opened()).items():
        claim, found = CLAIMS[name], links(body)
        path, query = found["Open in Explore"]
        assert path == "./" and Experiment.from_query(query) == (claim.experiment, [])
        assert ("Open the map" in found) == (claim.landscape is not None)
        if claim.landscape is not None:
            path, query = found["Open the map"]
            base, _ = Experiment.from_query(query)
            assert path == "phase-diagram"
            parts = {k: v for k, v in query.items() if k in claim.landscape.to_query()}
            around = claim.landscape.replace(base=base)
            assert Landscape.from_query(parts, around) == (claim.landscape, [])


def test_what_a_link_asks_for_and_is_not_there_is_told(few):
    at = opened(topic="<b>", verdict="maybe", row="nobody")
    told = problems(at)
    assert [each.split(" must be ")[0] for each in told] == ["topic", "verdict", "row"]
    assert "got '<b>'" in told[0] and "got 'maybe'" in told[1] and "got 'nobody'" in told[2]
    assert len(rows(at)) == len(CLAIMS)


def test_hostile_text_in_a_link_is_text(few):
    at = opened(find="<img src=x onerror=alert(1)>" + "x" * 5000)
    assert not rows(at) and "No row has all of these." in said(at)


def test_the_file_has_every_number_in_full(few, monkeypatch):
    sent = []
    monkeypatch.setattr(
        "streamlit.download_button", lambda label, data, *more, **rest: sent.append(data)
    )
    opened()
    lines = list(csv.DictReader(io.StringIO(sent[-1])))
    assert len(lines) == sum(len(claim.at) for claim in CLAIMS.values())
    for line in lines:
        finding: Finding = few[line["name"]]
        k = finding.claim.at.index(line["at"])
        assert line["printed"] == finding.claim.printed[k]
        assert float(line["measured"]) == finding.measured[k]
        assert line["verdict"] == (finding.each[k] or "")


def test_a_table_that_runs_out_of_time_keeps_what_it_has_and_says_why(monkeypatch):
    stop = threading.Event()

    def slow(claim):
        stop.wait(0.4)
        return blank(claim)

    monkeypatch.setattr(answers, "_reproduced", slow)
    monkeypatch.setattr(answers.work(), "most_seconds", 2.0)
    at = opened()
    stop.set()
    assert any("This host stops work that takes so long" in each for each in problems(at))
    assert len(rows(at)) == len(CLAIMS)
