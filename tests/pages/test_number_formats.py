"""The number formats page: runs of one experiment, their windows, and what was predicted."""

import re

import pytest

from core import NUMBER_FORMATS, Experiment, backpropagate, propagate
from core.host.limits import backward_cost
from core.layer.number_formats import FORMAT_FAMILIES
from core.reading.comparison import carriers
from core.reading.expectation import in_words
from core.reading.loss_windows import in_words as window_in_words
from core.reading.loss_windows import measured_windows, sentence
from core.theory.finite_width import predict
from core.theory.windows import scale_windows
from tests.pages.test_explore import blocks, chart, problems, visited, widget, words
from tests.pages.test_phase_diagram import said

PLAIN = FORMAT_FAMILIES["plain"]
SMALL = {"width": "64", "depth": "30"}


def opened(**query):
    return visited("pages/number_formats.py", query)


def rows(at):
    """Format -> its cells, as a viewer reads them."""
    [table] = blocks(at, "gi-table")
    found = {}
    for row in re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", table, flags=re.DOTALL):
        name, cells = row.split("</th>")
        found[name] = [words(cell) for cell in re.findall(r"<td.*?>(.*?)</td>", cells)]
    return found


def test_every_format_is_run_and_its_iterations_stand_beside_the_predicted_ones():
    at = opened()
    table = rows(at)
    assert list(table) == list(PLAIN)
    for name, cells in table.items():
        e = Experiment(number_format=name)
        events, law = propagate(e).events, predict(e)
        stuck = "none: it sticks" if name == "float8_e4m3fn" else "none"
        measured = stuck if events.first_nonfinite is None else str(events.first_nonfinite)
        assert cells[2].removesuffix(" (Inf)") == measured
        assert cells[3] == in_words(law.overflow_pmf)
        assert cells[4] == ("none" if events.all_zero is None else str(events.all_zero))
        assert cells[5] == in_words(law.all_zero_pmf)
    *curves, _ = chart(at, "formats")["figure"]["data"]
    assert [trace["name"] for trace in curves] == list(PLAIN)
    assert said(at) == carriers({name: propagate(Experiment(number_format=name)) for name in table})


def test_the_slider_of_depth_moves_the_windows():
    at = opened(**SMALL)

    def bar(name):
        [trace] = [t for t in chart(at, "windows")["figure"]["data"] if t["name"] == name]
        return trace["x"]

    def window(**changes):
        found = scale_windows(Experiment(width=64, **changes))["float16"]
        return [found.low, found.high]

    assert bar("float16") == pytest.approx(window(depth=30), rel=1e-4)
    widget(at, "depth").set_value(60).run()
    assert not at.exception
    assert bar("float16") == pytest.approx(window(depth=60), rel=1e-4)
    assert window(depth=60)[0] > window(depth=30)[0] and window(depth=60)[1] < window(depth=30)[1]


def test_where_no_law_is_known_the_table_says_why():
    at = opened(**SMALL, activation="relu")
    assert all(cells[3] == cells[5] == "no law" for cells in rows(at).values())
    assert "No law is known for one matrix at every step together with relu." in words(
        blocks(at, "gi-table")[0]
    )


def test_what_float8_does_at_its_end_is_said():
    at = opened(**SMALL)
    text = " ".join(words(block.proto.body) for block in at.get("html"))
    assert (
        "float8_e4m3fn has no Inf. A number that rounds beyond 448 becomes 448, in the saturating"
        in text
    )
    assert rows(at)["float8_e4m3fn"][6].endswith(" %") and rows(at)["float32"][6] == "–"


def test_a_bad_value_in_the_link_is_named():
    at = opened(**SMALL, scale="nan", number_format="float128", colour="red")
    told = " ".join(problems(at))
    assert "scale must be" in told and "number_format must be one of" in told and "colour" in told
    assert len(rows(at)) == 6


def test_formats_that_the_host_refuses_are_named_once_and_the_rest_stays(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e4")
    at = opened(width="65", depth="30")  # which no other test has run
    [error] = at.error
    assert all(name in error.value for name in PLAIN)
    assert "multiply-adds" in error.value and chart(at, "windows")
    assert widget(at, "depth").value == 30


def test_what_is_set_here_is_set_on_explore():
    at = opened(**SMALL, pin_a="width:64")
    assert problems(at) == []
    at.switch_page("pages/explore.py").run()
    assert not at.exception and widget(at, "width").value == 64


def test_what_the_gradient_loses_is_drawn_for_every_format():
    at = opened(**SMALL, init="xavier_normal", scale="0.5", loss_scale="1")
    for trace in chart(at, "lost")["figure"]["data"]:
        e = Experiment(
            width=64, depth=30, init="xavier_normal", scale=0.5, number_format=trace["name"]
        )
        assert trace["y"] == pytest.approx(backpropagate(e).stats.zero, abs=1e-5)


def test_loss_windows_are_predicted_and_measured_if_the_link_says_so():
    fields = {"init": "xavier_normal", "width": 64, "depth": 30}
    link = {name: str(value) for name, value in fields.items()}
    at = opened(**link)
    assert len(chart(at, "loss_windows")["figure"]["data"]) == len(PLAIN)
    at = opened(**link, measured="true")
    assert not at.exception and problems(at) == []
    found = measured_windows(Experiment(**fields), PLAIN)
    *_, table = blocks(at, "gi-table")
    for name, window in found.items():
        assert window_in_words(window) in words(table), name
    text = " ".join(words(block.proto.body) for block in at.get("html"))
    assert sentence(found, 1.0) in text


@pytest.mark.parametrize("family", FORMAT_FAMILIES)
def test_a_link_opens_a_family_of_formats_and_says_what_sets_each_apart(family):
    at = opened(**SMALL, family=family)
    assert problems(at) == []
    assert list(rows(at)) == list(FORMAT_FAMILIES[family])
    text = " ".join(words(block.proto.body) for block in at.get("html"))
    for name in FORMAT_FAMILIES[family]:
        assert NUMBER_FORMATS[name].description in text
        if NUMBER_FORMATS[name].convention:
            assert NUMBER_FORMATS[name].beyond_max in text
    for key in ("formats", "lost", "windows", "loss_windows"):
        assert chart(at, key)["figure"]["data"], key


def test_a_family_that_there_is_not_is_named():
    at = opened(**SMALL, family="all")
    told = "family must be one of plain, conventions, block-scaled, got 'all': plain is used"
    assert told in problems(at) and list(rows(at)) == list(PLAIN)


def test_a_switch_that_is_neither_on_nor_off_is_named():
    at = opened(**SMALL, measured="perhaps")
    assert "measured must be true or false, got 'perhaps': false is used" in problems(at)


def test_measuring_too_much_is_refused_and_theory_stays(monkeypatch):
    e = Experiment(width=66, depth=30)
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", str(4 * backward_cost(e).multiply_adds))
    at = opened(width="66", depth="30", measured="true")
    assert any("measuring the windows of loss scales needs" in error.value for error in at.error)
    assert len(chart(at, "loss_windows")["figure"]["data"]) == len(PLAIN)
