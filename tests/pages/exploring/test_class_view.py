"""What a link lets a class see, the projector, and the dialog that makes such links."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
import streamlit as st

from core import Experiment
from pages.exploring.class_view import ANSWERS
from pages.exploring.share import embedded
from tests.pages.exploring.test_spread import has_chart
from tests.pages.test_explore import answer, blocks, chart, opened, problems, shown, words

SMALL = {"width": "64", "depth": "30"}


def keys(at):
    """The controls on the page, by key."""
    parts = (*at.select_slider, *at.toggle, *at.selectbox, *at.button, *at.text_input)
    return {part.key for part in parts}


def test_a_link_hides_controls_and_sets_what_it_hides():
    at = opened(**SMALL, scale="0.1", hide="depth,scale,relu,more,pins")
    assert "width" in keys(at)
    hidden = {"depth", "scale", "relu", "activation", "seed", "keep", "scale_stop_1"}
    assert not hidden & keys(at)
    assert shown(at) == Experiment(width=64, depth=30, scale=0.1)
    at.select_slider(key="width").set_value(128).run()
    assert shown(at) == Experiment(width=128, depth=30, scale=0.1)
    assert problems(at) == []


def test_answers_can_be_hidden():
    at = opened(**SMALL, hide="verdict,theory,details")
    assert not blocks(at, "gi-answer") and not blocks(at, "gi-expected")
    assert not blocks(at, "gi-checks") and not blocks(at, "gi-card")
    names = [trace["uid"] for trace in chart(at, "std")["figure"]["data"]]
    assert "median" not in names and "std" in names
    assert "ensemble" not in keys(at)


def notes(at, key):
    """The words that a viewer reads in a chart."""
    every = chart(at, key)["figure"]["layout"]["annotations"]
    return [note["text"] for note in every if note.get("visible", True)]


def test_a_hidden_answer_is_told_nowhere_in_words_or_marks():
    query = {"scale": "1", "ensemble": "true", "pin_a": "width:32"}
    shown, hidden = opened(**query), opened(**query, hide="verdict")
    names = {"std", "mean", "distribution"}
    for at, is_told in ((shown, True), (hidden, False)):
        told = [part.proto.body for part in at.get("html")]
        for key in names:
            told += [chart(at, key)["alt"], *notes(at, key)]
        for given_away in ("at i = 28", "nine networks in ten", "explodes</b>"):
            assert any(given_away in each for each in told) == is_told, given_away
    assert names == {key for key in (*names, "fractions", "ends") if has_chart(hidden, key)}
    for key in names:
        layout = chart(hidden, key)["figure"]["layout"]
        assert not any(mark["visible"] for mark in layout["shapes"][:2])
        assert "i = 28" not in chart(hidden, key)["alt"] and "%" not in chart(hidden, key)["alt"]
    assert "one repeated Gaussian" in " ".join(
        words(block) for block in blocks(hidden, "gi-expected")
    )
    assert "curve still ends" in ANSWERS["verdict"]  # which the dialog says to a teacher


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"hide": "depth,colour"}, "hide must be some of width, depth, scale"),
        ({"hide": "<script>"}, "hide must be some of"),
        ({"view": "cinema"}, "view must be projector, got 'cinema': it is passed over"),
    ],
)
def test_a_bad_view_is_named_and_the_rest_holds(query, message):
    at = opened(**SMALL, **query)
    assert any(told.startswith(message) for told in problems(at))
    assert ("depth" in keys(at)) == ("depth" not in query.get("hide", ""))
    assert "projector" in keys(at) and blocks(at, "gi-answer")


def test_the_projector_shows_verdict_chart_and_sliders_and_no_more():
    at = opened(**SMALL, view="projector")
    assert "NaN iteration" in answer(at)
    assert chart(at, "std")["figure"]["layout"]["font"]["size"] == 20
    assert not blocks(at, "gi-checks") and not {"activation", "keep", "share"} & keys(at)
    assert {"width", "depth", "scale"} <= keys(at)
    at.button(key="projector").click().run()
    assert not at.exception and "activation" in keys(at) and blocks(at, "gi-checks")


def links(at):
    return [code.value for code in at.code]


def test_the_dialog_makes_the_link_of_this_view_with_what_the_class_sees():
    at = opened(**SMALL, scale="1/√n", ensemble="true", pin_b="width:32")
    at.button(key="share").click().run()
    assert not at.exception
    at.pills(key="share_controls").set_value(["width", "scale"])
    at.pills(key="share_answers").set_value(["verdict"])
    at.checkbox(key="share_projector").set_value(True)
    at.button(key="share").click().run()  # a whole run: the test knows no runs of a dialog alone
    assert not at.exception
    link, html = links(at)
    query = {name: texts[0] for name, texts in parse_qs(urlsplit(link).query).items()}
    assert query["hide"] == "depth,relu,ensemble,pins,more,gradient,theory,details"
    assert query["view"] == "projector" and query["ensemble"] == "true"
    assert query["pin_b"] == "width:32" and query["width"] == "64"
    bodies = [part.proto.body for part in at.get("html")]
    [image] = [body for body in bodies if body.startswith('<img class="gi-qr"')]
    assert re.search(r'src="data:image/svg\+xml', image)
    assert html == embedded(link)
    view = {name: query[name] for name in ("hide", "view")}
    again = opened(**SMALL, **view)
    assert problems(again) == [] and "depth" not in keys(again)


@pytest.mark.parametrize("host", ["localhost", "192.168.0.12"])
def test_the_link_has_its_slash_and_says_where_no_phone_can_open_it(monkeypatch, host):
    monkeypatch.setattr(type(st.context), "url", f"http://{host}:8501")
    at = opened(**SMALL)
    at.button(key="share").click().run()
    assert not at.exception
    assert links(at)[0] == f"http://{host}:8501/?width=64&depth=30"
    bodies = [part.proto.body for part in at.get("html")]
    assert any("on this computer only" in body for body in bodies) == (host == "localhost")


def test_an_embedded_view_is_a_frame_whose_address_is_text():
    html = embedded('http://x/?a="><script>')
    assert "<script>" not in html and "embed=true" in html
