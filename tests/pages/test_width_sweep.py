"""The width sweep page: the check, its table, its links, and what they get wrong."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from core import Experiment
from core.sweep.coordinate_check import coordinate_check
from core.text import typeset
from pages.work import answers
from tests.pages.test_explore import blocks, chart, problems, visited, words
from tests.pages.test_phase_diagram import (
    Slow,
    address,
    drawn_without_being_set,
    out_of_time,
    said,
    settled,
    text,
)

SMALL = {"x": "width=16..256:5", "y": "depth=1,2,8", "networks": "4"}
WIDTHS, LAYERS = [16, 32, 64, 128, 256], [1, 2, 8]


def opened(**query):
    return settled(visited("pages/width_sweep.py", query))


def table(at):
    """Layer -> slope, standard error, words, as a viewer reads them."""
    [block] = blocks(at, "gi-table")
    rows = re.findall(r"<tr><th scope=\"row\">layer (\d+)</th>(.*?)</tr>", block, flags=re.DOTALL)
    found = {int(layer): re.findall(r"<td.*?>(.*?)</td>", cells) for layer, cells in rows}
    return {layer: [words(cell) for cell in cells][:3] for layer, cells in found.items()}


def beside(at):
    """The slopes of the other sizes, a row for each layer, as a viewer reads them."""
    [block] = blocks(at, "gi-table")
    rows = re.findall(r"<tr><th scope=\"row\">[^<]*</th>(.*?)</tr>", block, flags=re.DOTALL)
    return [[words(cell) for cell in re.findall(r"<td.*?>(.*?)</td>", row)][3:] for row in rows]


def read(text):
    """A text with powers as a viewer reads it: n^0.5 has its power above the line."""
    return words(typeset(text))


@pytest.mark.parametrize("init", ["normal", "xavier_normal"])
def test_the_slopes_are_those_of_the_check_and_are_said_in_words(init):
    at = opened(**SMALL, init=init)
    check = coordinate_check(Experiment(init=init), WIDTHS, LAYERS, 4)
    assert said(at) == read(check.sentence)
    assert "Done: 5 widths × 3 layers." in text(at)
    assert table(at) == {
        each.layer: [
            f"{each.slope:z.3f}".replace("-", "−"),
            f"{each.standard_error:.3f}",
            read(each.in_words),
        ]
        for each in check.slopes
    }
    figure = chart(at, "coordinate")["figure"]
    assert [trace["x"] for trace in figure["data"]] == [WIDTHS] * 3
    assert problems(at) == []
    assert address(at) == SMALL | ({} if init == "normal" else {"init": init})
    assert "networks without matrices, exact in law" in text(at)


def test_without_a_link_it_is_eight_widths_and_four_layers():
    at = opened()
    assert address(at) == {} and [*table(at)] == [1, 2, 4, 8]
    assert said(at).startswith(read("Grows with width: as n^0.50 at layer 1"))
    assert "<sup>0.50</sup>" in " ".join(block.proto.body for block in at.get("html"))
    at.button(key="rule_xavier_normal").click().run()
    assert said(settled(at)).startswith("Flat: the size does not depend on width")
    assert at.selectbox(key="init").value == "xavier_normal"


def test_the_slopes_of_the_gradients_stand_beside_those_of_x():
    at = opened(**SMALL, weights="fresh")
    slopes = [
        [
            each.text
            for each in coordinate_check(
                Experiment(weights="fresh"), WIDTHS, LAYERS, 4, measure=measure
            ).slopes
        ]
        for measure in ("log2_gradient_rms", "log2_weight_gradient_rms")
    ]
    assert beside(at) == [list(row) for row in zip(*slopes, strict=True)]


def test_the_curves_are_those_of_the_size_that_is_chosen():
    at = opened(**SMALL, init="xavier_normal", weights="fresh")
    at.button_group(key="sweep_measure").set_value("log2_gradient_rms").run()
    settled(at)
    assert address(at)["measure"] == "log2_gradient_rms"
    assert said(at).startswith("The gradient is flat: the size does not depend on width")
    figure = chart(at, "coordinate")["figure"]
    assert figure["layout"]["yaxis"]["title"]["text"].startswith("rms of the gradient at the input")
    assert [trace["name"].split(":")[0] for trace in figure["data"]] == [
        "1 layer",
        "2 layers",
        "8 layers",
    ]


def test_widths_layers_and_networks_are_chosen():
    at = opened(**SMALL)
    at.select_slider(key="sweep_widths").set_value((32, 512)).run()
    at.multiselect(key="sweep_layers").set_value([6, 1]).run()
    at.button_group(key="sweep_networks").set_value(8).run()
    settled(at)
    assert address(at) == {"x": "width=32..512:5", "y": "depth=1,6"}  # 8 networks are as usual
    assert [*table(at)] == [1, 6]
    at.multiselect(key="sweep_layers").set_value([]).run()
    at.select_slider(key="sweep_widths").set_value((64, 64)).run()
    assert address(settled(at)) == {"x": "width=32..512:5", "y": "depth=1,6"}


def test_a_link_to_another_kind_of_map_is_refused_in_words():
    at = opened(x="scale=0.1..1:4", y="depth=1,2", measure="rms", networks="many")
    told = problems(at)
    assert "x must be of width here, got 'scale=0.1..1:4': width=16..2048:8 is used" in told
    allowed = "log2_rms, log2_gradient_rms, log2_weight_gradient_rms"
    assert f"measure must be one of {allowed} here, got 'rms': log2_rms is used" in told
    assert any(part.startswith("networks must be a whole number") for part in told)
    assert [*table(at)] == [1, 2, 4, 8]


def test_layers_out_of_range_are_told():
    at = opened(x="width=16,32,4096", y="depth=1,4", number_format="float16", networks="2")
    assert "At layer 4 some networks have no size: they left the range of float16" in " ".join(
        words(block) for block in blocks(at, "gi-expected")
    )


def test_too_much_work_is_refused_and_the_controls_stay(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e4")
    at = opened(**SMALL, seed="9")
    assert at.error[0].value.startswith("Too much to measure: about ")
    assert at.selectbox(key="init").value == "normal"


def test_a_check_that_runs_out_of_time_ends_in_words_and_keeps_what_it_has(monkeypatch):
    monkeypatch.setattr(answers.work(), "most_seconds", 1.0)
    slow = Slow(monkeypatch)
    at = visited("pages/width_sweep.py", SMALL | {"y": "depth=1,2,3,4,5,6,7,8,9", "seed": "12"})
    out_of_time(monkeypatch, at)
    assert slow.begun == 1 and at.button(key="go_on")
    assert blocks(at, "gi-table")  # slopes of the layers that are known
    slow.go.set()
    settled(at.button(key="go_on").click().run())
    assert slow.known.fraction_done < 1 and not at.error


def test_a_browser_that_missed_a_message_draws_the_sweep_that_is_asked_for():
    drawn = drawn_without_being_set(opened(**SMALL, activation="relu", init="kaiming_normal"))
    assert drawn["init"] == ["Kaiming (normal)"] and drawn["activation"] == ["ReLU"]
    at = opened(**SMALL)
    controls = {name: at.session_state[name] for name in ("sweep_widths", "sweep_layers")}
    for name, values in controls.items():
        assert drawn[name] == [str(value) for value in values]
    assert drawn["sweep_networks"] == [str(at.session_state["sweep_networks"])]
    assert len(drawn["sweep_measure"]) == 1


def test_the_link_to_copy_reads_back_and_the_experiment_goes_along():
    at = opened(**SMALL, activation="relu", init="kaiming_normal")
    [code] = at.code
    query = {name: texts[0] for name, texts in parse_qs(urlsplit(code.value).query).items()}
    assert query.items() >= SMALL.items() and query["init"] == "kaiming_normal"
    at.switch_page("pages/explore.py").run()
    assert not at.exception and at.selectbox(key="init").value == "kaiming_normal"
