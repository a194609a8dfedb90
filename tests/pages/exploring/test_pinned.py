"""Curves that are kept: by the button, by the link, and what the page says of them."""

import re

import pytest

from core import Experiment, propagate
from core.charts.figure import PIN_COLORS
from core.reading import verdict
from tests.pages.test_explore import blocks, chart, opened, problems, shown, widget, words

KAIMING = "scale:√(2/n),activation:relu"
FULL = {f"pin_{slot}": f"depth:{depth}" for depth, slot in enumerate("abcdef", start=3)}


def rows(at):
    """The list of what is kept, in words."""
    return [words(block) for block in blocks(at, "gi-pin")]


def in_chart(at):
    """The kept curves in the main chart: name -> colour."""
    data = chart(at, "std")["figure"]["data"]
    kept = [trace for trace in data if trace["uid"].startswith("-stays-")]
    return {trace["name"]: trace["line"]["color"] for trace in kept}


def pressed(at, key):
    at.button(key=key).click().run()
    assert not at.exception
    return at


def in_link(at):
    """The pins as the link that can be copied has them."""
    at.session_state["link"] = True
    at.run()
    link = at.code[0].value
    return dict(re.findall(r"(pin_.)=([^&]*)", link))


def test_nothing_is_kept_at_first():
    at = opened()
    assert rows(at) == [] and in_chart(at) == {} and in_link(at) == {}
    assert not at.button(key="keep").disabled
    assert not any((button.key or "").startswith("remove") for button in at.button)


def test_a_kept_curve_stays_while_the_controls_move_on():
    at = pressed(opened(), "keep")
    assert rows(at) == ["A NaN at i = 28"]
    assert at.button(key="keep").disabled and at.button(key="keep").label == "Kept as A"
    at.button(key="scale_stop_1/√n").click().run()
    assert rows(at) == ["A s = 1 NaN at i = 28"]
    assert in_chart(at) == {"A · s = 1": PIN_COLORS["a"]}
    assert shown(at).scale == 512**-0.5
    assert not at.button(key="keep").disabled
    pressed(at, "keep")
    assert in_link(at) == {"pin_a": "width:512", "pin_b": f"scale:{512**-0.5}"}
    assert rows(at)[1].startswith("B s = 1/√n last std ")


def test_a_link_with_pins_shows_them_beside_its_own_curve():
    at = opened(activation="relu", pin_b=KAIMING, pin_e="scale:0.01")
    run = propagate(Experiment(activation="relu", scale=0.0625))
    assert problems(at) == []
    assert rows(at) == [
        f"B s = √(2/n) , relu {verdict.outcome(run)}",
        "E s = 0.01 , linear all zero at i = 69",
    ]
    assert in_chart(at) == {
        "B · s = √(2/n), relu": PIN_COLORS["b"],
        "E · s = 0.01, linear": PIN_COLORS["e"],
    }
    traces = chart(at, "std")["figure"]["data"]
    [kept] = [trace for trace in traces if trace["name"] == "B · s = √(2/n), relu"]
    assert kept["y"] == pytest.approx(run.stats.std.tolist(), rel=1e-5)
    assert "B · s = √(2/n), relu" in chart(at, "std")["alt"]
    assert shown(at) == Experiment(activation="relu")
    at.button(key="scale_stop_0.1").click().run()
    assert len(rows(at)) == 2


def test_using_a_pin_moves_every_control_there_and_keeps_it():
    at = opened(activation="tanh", depth="7", pin_c=KAIMING + ",width:64,seed:9,bias_std:0.3")
    pressed(at, "use_c")
    meant = Experiment(width=64, scale=(2 / 64) ** 0.5, activation="relu", seed=9, bias_std=0.3)
    assert shown(at) == meant
    assert widget(at, "scale").value == "√(2/n)" and at.toggle(key="relu").value
    assert len(rows(at)) == 1 and at.button(key="keep").label == "Kept as C"
    widget(at, "width").set_value(512).run()
    assert shown(at) == meant.replace(width=512, scale=0.0625)
    assert in_link(at)["pin_c"].startswith("width:64,")


def test_pins_are_removed_one_by_one_and_the_free_letter_is_given_again():
    at = pressed(opened(**FULL), "remove_c")
    assert [row[0] for row in rows(at)] == list("ABDEF")
    pressed(at, "keep")
    assert [row[0] for row in rows(at)] == list("ABCDEF")
    assert rows(at)[2].startswith("C L = 100 NaN at i = 28")
    assert in_chart(at)["F · L = 8"] == PIN_COLORS["f"]


def test_all_are_removed_at_once():
    at = pressed(opened(**FULL), "remove_all")
    assert rows(at) == [] and in_chart(at) == {} and in_link(at) == {}


def test_six_is_the_most():
    at = opened(**FULL)
    keep = at.button(key="keep")
    assert keep.disabled and keep.label == "6 curves are kept"
    assert "Remove one" in keep.help
    assert len(rows(at)) == 6
    pressed(at, "remove_f")
    assert not at.button(key="keep").disabled


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "<img src=x>", '"><b>'])
@pytest.mark.parametrize("where", ["pin_a=init:{}", "pin_a={}:1", "pin_a={}", "pin_{}=depth:1"])
def test_hostile_pins_are_refused_in_words_and_become_no_markup(hostile, where):
    name, text = where.split("=", 1)
    at = opened(depth="5", pin_b="depth:3", **{name.format(hostile): text.format(hostile)})
    [problem] = problems(at)
    assert "pin" in problem
    [block] = blocks(at, "gi-problems")
    inside = re.sub("</?(li|ul)>", "", block.split(">", 1)[1].removesuffix("</div>"))
    assert not set(inside) & set('<>"')
    assert shown(at) == Experiment(depth=5)
    assert rows(at)[-1].startswith("B L = 3")


def test_every_bad_part_is_named_and_the_good_parts_stay():
    at = opened(width="1e9", pin_a="width:99999,depth:5,relu", pin_zz="1", pin_b="x" * 999)
    told = problems(at)
    assert len(told) == 5
    width = "width must be a whole number from 1 to 16384"
    assert told[0].startswith(f"{width}, got '1e9'")
    assert f"pin_a: {width}, got '99999': 512 is used" in told
    assert "pin_a: every part must be field:value, got 'relu': it is passed over" in told
    assert any(problem.startswith("there is no pin 'pin_zz'") for problem in told)
    assert any(problem.startswith("pin_b: a pin must have at most 800") for problem in told)
    assert in_link(at) == {"pin_a": "depth:5"}
    widget(at, "depth").set_value(50).run()
    assert problems(at) == [] and in_link(at) == {"pin_a": "depth:5"}


def test_a_pin_that_the_host_refuses_is_listed_with_the_reason_and_not_drawn(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e7")
    at = opened(width="16", pin_a="seed:20240229", pin_b="width:8")  # of no other test
    first, second = rows(at)
    assert first.startswith("A n = 512 ") and "lower width or depth" in first
    assert list(in_chart(at)) == ["B · n = 8, seed = 0"]
    assert second.startswith("B n = 8") and not at.error
    pressed(at, "use_a")
    assert "lower width or depth" in at.error[0].value
    assert len(rows(at)) == 2  # beside a refused run too
    pressed(at, "remove_all")
    assert rows(at) == []


def test_pins_that_take_long_are_computed_where_they_can_be_interrupted(monkeypatch):
    at = opened(depth="3", pin_a="width:8", pin_b="width:3000,depth:30,weights:fresh")
    assert len(in_chart(at)) == 2
    pressed(at, "remove_b")  # and back to what is quick
    assert len(in_chart(at)) == 1
    widget(at, "depth").set_value(5).run()
    assert not at.exception and shown(at).depth == 5
