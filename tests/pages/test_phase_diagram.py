"""The phase diagram page: links, hostile ones too, presets, what is chosen, stop, a click."""

import json
import math
import re
import threading
import time
from typing import get_args
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from core import Experiment
from core.charts.phase_diagram import _LINES
from core.maps.borders import Border, Kind
from core.maps.landscape import Landscape
from core.maps.words import summary
from core.question.experiment import DEFAULTS, PARAMETERS
from core.sweep import parse
from pages.maps import cell, presets, refining
from pages.maps import words as border_words
from pages.work import answers
from tests.pages.test_explore import chart, problems, visited, words

SMALL = {"x": "scale=0.01..10:6", "y": "width=16..64:4", "networks": "3", "depth": "40"}
MEANT = Landscape(Experiment(depth=40), parse(SMALL["x"]), parse(SMALL["y"]), "first_nonfinite", 3)


def opened(**query):
    return settled(visited("pages/phase_diagram.py", query))


def settled(at):
    """Look again, as the browser does, until there is nothing more to come."""
    deadline = time.monotonic() + 60
    while components(at, "refresh"):
        assert time.monotonic() < deadline
        at.run()
        assert not at.exception
    return at


def components(at, key):
    return [each for each in at.get("bidi_component") if each.proto.id.endswith(f"-{key}")]


def drawn_without_being_set(at):
    """Key of a widget -> what a browser draws that missed the value set by an earlier script."""
    at.run()
    assert not at.exception
    found = {}
    for kind in ("toggle", "selectbox", "select_slider", "multiselect", "segmented_control"):
        for widget in at.get(kind):
            default, options = widget.proto.default, list(getattr(widget.proto, "options", []))
            assert not getattr(widget.proto, "set_value", False)
            if kind == "toggle":
                found[widget.key] = default
                continue
            places = [int(place) for place in ([default] if isinstance(default, int) else default)]
            named = [getattr(options[place], "content", options[place]) for place in places]
            found[widget.key] = named
    return found


def test_a_browser_that_missed_a_message_draws_the_map_that_is_asked_for():
    """It would tell the defaults that it draws as the viewer's choice."""
    query = {"x": "scale=0.1..2:24", "y": "depth=20..60:24", "networks": "1", "measure": "zero"}
    drawn = drawn_without_being_set(opened(**query, init="xavier_normal", width="16"))
    assert drawn["map_measure"] == ["fraction of zeros, last layer"]
    assert drawn["map_x"] == ["Scale factor"] and drawn["map_y"] == ["Depth"]
    assert drawn["map_x_scale"] == ["0.1", "2"] and drawn["map_y_depth"] == ["20", "60"]
    assert drawn["map_cells"] == ["24"] and drawn["map_networks"] == ["1"]
    assert drawn["map_real"] is False and drawn["init"] == ["Xavier (normal)"]
    query = SMALL | {"real": "true", "y": "activation=tanh,relu"}
    drawn = drawn_without_being_set(opened(**query))
    assert drawn["map_real"] is True and drawn["map_networks"] == ["3"]
    assert len(drawn["map_y_activation"]) == 2


def figure(at):
    return chart(at, "map")["figure"]


def said(at):
    bodies = [block.proto.body for block in at.get("html")]
    [body] = [body for body in bodies if body.startswith('<p class="gi-words gi-summary"')]
    return words(body)


def text(at):
    return " ".join(words(block.proto.body) for block in at.get("html"))


def address(at):
    """What the page writes into the address by itself."""
    [component] = components(at, "address")
    return json.loads(component.proto.json)["params"]


def test_a_link_shows_its_map_and_says_what_it_comes_to():
    at = opened(**SMALL)
    result = MEANT.sweep()
    assert said(at) == summary(result)
    heat = figure(at)["data"][0]
    assert heat["x"] == [*MEANT.x.values] and heat["y"] == [*MEANT.y.values]
    assert problems(at) == []
    assert address(at) == {name: SMALL[name] for name in ("x", "y", "networks")}
    assert "Done: 6 × 4 cells." in text(at)
    assert "The median of 3 networks with seed 0." in text(at)
    assert (
        "The numbers come from matrices multiplied without rounding to the number format"
        in text(at)
    )
    assert "The overflow line is where theory sees" in text(at)
    assert "Tied weights are taken as fresh ones" in text(at)


def test_without_a_link_it_is_the_lessons_map(monkeypatch):
    asked = []

    def sweep(landscape, *args, **more):
        asked.append(landscape)
        return landscape.blank()

    monkeypatch.setattr(answers, "sweep", sweep)
    at = visited("pages/phase_diagram.py", {})
    assert asked[-1] == presets.FIRST and address(at) == {"y": "width=16..2048:43"}
    assert {2**k for k in range(4, 12)} <= {*asked[-1].y.values}  # the sentence is of n = 512
    at = visited("pages/phase_diagram.py", {"networks": "16"})
    assert asked[-1] == presets.DEFAULT and address(at) == {}
    assert asked[-1].to_query() == {
        "x": "scale=0.01..10:48",
        "y": "width=16..2048:48",
        "measure": "first_nonfinite",
        "networks": "16",
        "real": "false",
    }
    for place, preset in enumerate(presets.PRESETS.values()):
        at.button(key=f"preset_{place}").click().run()
        assert not at.exception and asked[-1] == preset
        assert at.button(key=f"preset_{place}").proto.type == "primary"
        usual = presets.DEFAULT.to_query().items()
        named = {name: getattr(preset.base, name) for name in PARAMETERS if PARAMETERS[name].names}
        menus = named.items() - DEFAULTS.items()
        assert address(at) == dict(preset.to_query().items() - usual) | dict(menus)


@pytest.mark.parametrize("name", ["Trainable depth of tanh", "Number formats"])
def test_a_preset_at_few_cells_has_numbers_and_theorys_lines(name):
    preset = presets.PRESETS[name]
    query = preset.base.to_query() | preset.to_query()
    few = {"x": query["x"].replace(":24", ":6").replace(":48", ":6")}
    few |= {"y": query["y"].replace(":24", ":5"), "depth": "20", "width": "64"}
    at = opened(**(query | few))
    assert problems(at) == []
    names = [trace["name"] for trace in figure(at)["data"]]
    assert "χ₁ = 1: edge of chaos" in names
    assert "at infinite width" in text(at) or "real a @ x in the number format" in text(at)


def test_wrong_parts_of_a_link_are_named_and_the_rest_is_shown():
    wrong = {
        "y": "width=16..64",
        "measure": "<script>",
        "networks": "0",
        "real": "perhaps",
        "depth": "40.6",
        "colour": "red",
    }
    at = opened(**(SMALL | {"x": "scale=0.1..1:3"} | wrong))
    told = " ".join(problems(at))
    for part in (
        "y: width must be a whole number from 1 to 16384, got '16..64': width=16..2048:48 is used",
        "there is no measure '<script>'",
        "networks must be a whole number from 1 to 64, got '0': 16 is used",
        "real must be true or false, got 'perhaps': false is used",
        "depth must be a whole number from 1 to 2000, got '40.6': 41 is used",
        "there is no parameter 'colour'",
    ):
        assert part in told
    assert figure(at)["data"][0]["x"] == [0.1, 0.3162, 1.0]
    at.button_group(key="map_networks").set_value(1).run()
    assert problems(settled(at)) == []


def test_axes_colour_cells_and_networks_are_chosen():
    at = opened(**SMALL)
    at.selectbox(key="map_measure").set_value("all_zero").run()
    at.button_group(key="map_networks").set_value(1).run()
    at.button_group(key="map_cells").set_value(12).run()
    settled(at)
    assert address(at) == {
        "x": "scale=0.01..10:12",
        "y": "width=16..64:12",
        "measure": "all_zero",
        "networks": "1",
    }
    at.select_slider(key="map_x_scale").set_value((0.1, 1.0)).run()
    assert address(settled(at))["x"] == "scale=0.1..1:12"
    at.selectbox(key="map_y").set_value("number_format").run()
    at.multiselect(key="map_y_number_format").set_value(["float16", "float32"]).run()
    assert address(settled(at))["y"] == "number_format=float16,float32"
    at.multiselect(key="map_y_number_format").set_value([]).run()  # nothing is no axis
    assert address(settled(at))["y"] == "number_format=float16,float32"


def test_menus_show_names_and_the_address_has_values():
    at = opened(**SMALL, activation="relu")
    menu = at.selectbox(key="activation")
    assert menu.value == "relu" and "ReLU squared" in menu.options
    menu.set_value("relu_squared").run()
    assert address(settled(at))["activation"] == "relu_squared"
    at.selectbox(key="map_y").set_value("activation").run()
    at.multiselect(key="map_y_activation").set_value(["tanh", "relu"]).run()
    asked = address(settled(at))
    assert asked["y"] == "activation=tanh,relu" and "activation" not in asked
    assert "ReLU squared" in at.multiselect(key="map_y_activation").options


def test_a_link_lacks_what_it_always_lacked_and_the_menu_leads_to_the_first_map(monkeypatch):
    asked = []

    def sweep(landscape, *args, **more):
        asked.append(landscape)
        return landscape.blank()

    monkeypatch.setattr(answers, "sweep", sweep)
    visited("pages/phase_diagram.py", {"activation": "relu"})  # as it was copied
    assert asked[-1] == presets.DEFAULT.replace(base=Experiment(activation="relu"))
    at = visited("pages/explore.py", {"activation": "relu"})
    at.switch_page("pages/phase_diagram.py").run()
    assert not at.exception
    assert asked[-1] == presets.FIRST.replace(base=Experiment(activation="relu"))


def test_seeds_up_to_the_largest_are_an_axis():
    seeds = {"x": "seed=0..9223372036854775807:3", "y": "scale=0.1..1:3", "networks": "1"}
    at = opened(**seeds, width="16", depth="8")
    assert problems(at) == [] and address(at)["x"] == seeds["x"]
    assert figure(at)["data"][0]["x"] == [0, 2**62, 2**63 - 1]
    at.button_group(key="map_cells").set_value(12).run()
    assert address(settled(at))["x"] == "seed=0..9223372036854775807:12"


def test_an_axis_gives_way_to_another_of_the_same_kind():
    at = opened(**SMALL)
    at.selectbox(key="map_x").set_value("width").run()
    found = address(settled(at))
    assert found["x"].startswith("width=16..2048:") and found["y"].startswith("scale=0.01..10:")
    at.selectbox(key="map_x").set_value("sigma_w").run()
    found = address(settled(at))
    assert found["x"].startswith("sigma_w=0.5..3:") and found["y"].startswith("width=")


def test_theory_has_no_networks_to_choose_and_nothing_to_measure():
    at = opened(**SMALL, measure="chi_1")
    assert at.button_group(key="map_networks").proto.disabled
    assert at.toggle(key="map_real").disabled
    at.selectbox(key="map_measure").set_value("first_nonfinite").run()
    at.toggle(key="map_real").set_value(True).run()
    settled(at)
    assert address(at)["real"] == "true"
    assert "The numbers come from real a @ x in the number format." in text(at)


def test_a_map_that_is_too_much_work_is_refused_and_the_controls_stay(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "1e5")
    at = opened(**(SMALL | {"depth": "41"}))
    [error] = at.error
    assert error.value.startswith("Too much to measure: ")
    assert "Lower width or depth." in error.value  # even one network of 6 × 4 cells is
    assert not [button for button in at.button if button.key == "fitting"]
    assert at.selectbox(key="map_measure").value == "first_nonfinite"
    assert not at.get("link_button")


def test_a_refused_map_leaves_the_one_before_and_a_button_for_one_that_fits(monkeypatch):
    wide = {"x": "scale=0.01..10:26", "y": "width=16..64:14", "networks": "4", "depth": "20"}
    at = opened(**wide)
    before, sentence = figure(at), said(at)
    monkeypatch.setenv("GOOD_INIT_MAX_MULTIPLY_ADDS", "2e9")
    at.toggle(key="map_real").set_value(True).run()
    settled(at)
    [error] = at.error
    assert error.value.endswith("Try 24 cells a side and 1 network.") or error.value.endswith(
        "Try 12 cells a side and 1 network."
    )
    assert figure(at) == before and said(at) == sentence
    assert not components(at, "refresh") and not at.get("link_button")
    assert address(at)["real"] == "true"
    button = at.button(key="fitting")
    assert re.fullmatch(r"Measure \d+ × \d+ cells with 1 network", button.label)
    button.click().run()
    settled(at)
    assert not at.error and address(at)["networks"] == "1" and address(at)["real"] == "true"
    assert f"Done: {button.label.split(' ', 1)[1].split(' with')[0]}." in text(at)
    assert "The numbers come from real a @ x in the number format." in text(at)
    assert at.get("link_button")


class Slow:
    """A sweep that shows its first part, and the rest when the test says so."""

    def __init__(self, monkeypatch):
        self.go, self.begun, self.known = threading.Event(), 0, None
        real = Landscape.sweep

        def sweep(landscape, executor, on_result, should_stop, known):
            self.begun += 1
            self.known, parts = known or self.known, []
            whole = real(landscape, on_result=parts.append)
            on_result(parts[0])
            while not self.go.wait(0.01):
                should_stop()
            return whole

        monkeypatch.setattr(Landscape, "sweep", sweep)
        monkeypatch.setattr(refining, "FIRST_WAIT", 0.5)


def begun(at):
    """Look again until there is a first part: on a busy machine not at the first look."""
    deadline = time.monotonic() + 60
    while said(at) == "Nothing is measured yet.":
        assert time.monotonic() < deadline
        at.run()


def given_up():
    """Nobody waits for the work any more, and it ends."""
    deadline = time.monotonic() + 10
    while answers.work().standing()[0]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_coarse_picture_is_there_first_and_stop_keeps_it(monkeypatch):
    slow = Slow(monkeypatch)
    query = SMALL | {"x": "scale=0.01..10:17", "y": "width=16..128:17", "seed": "5"}
    at = visited("pages/phase_diagram.py", query)
    begun(at)
    assert components(at, "refresh") and at.button(key="stop")
    coarse = figure(at)["data"][0]["z"]
    at.button(key="stop").click().run()
    assert not components(at, "refresh") and figure(at)["data"][0]["z"] == coarse
    assert "Stopped at " in text(at)
    given_up()
    at.run()
    assert slow.begun == 1 and figure(at)["data"][0]["z"] == coarse
    assert slow.known is None
    slow.go.set()
    at.button(key="go_on").click().run()
    settled(at)
    assert slow.begun == 2 and figure(at)["data"][0]["z"] != coarse
    assert 0 < slow.known.fraction_done < 1  # it goes on from there
    assert not [button for button in at.button if button.key in ("stop", "go_on")]


def out_of_time(monkeypatch, at):
    """Look again until the page says that the host ends the work on its map."""
    deadline = time.monotonic() + 60
    while not at.error:
        assert time.monotonic() < deadline
        at.run()
    [told] = at.error
    assert re.match(r"this took longer than 1 s, the most that this host allows; ", told.value)
    assert not components(at, "refresh") and "Stopped at " in text(at)
    monkeypatch.setattr(answers.work(), "most_seconds", math.inf)


def test_a_map_that_runs_out_of_time_ends_in_words_and_keeps_what_it_has(monkeypatch):
    monkeypatch.setattr(answers.work(), "most_seconds", 1.0)
    slow = Slow(monkeypatch)
    at = visited("pages/phase_diagram.py", SMALL | {"x": "scale=0.01..10:17", "seed": "11"})
    begun(at)
    coarse = figure(at)["data"][0]["z"]
    out_of_time(monkeypatch, at)
    assert figure(at)["data"][0]["z"] == coarse and slow.begun == 1
    at.run()
    assert at.error and slow.begun == 1  # it is not computed again by itself
    slow.go.set()
    at.button(key="go_on").click().run()
    settled(at)
    assert slow.begun == 2 and 0 < slow.known.fraction_done < 1 and not at.error


def test_a_map_left_half_way_goes_on_from_there_after_a_look_at_another(monkeypatch):
    slow = Slow(monkeypatch)
    at = visited("pages/phase_diagram.py", SMALL | {"x": "scale=0.01..10:17", "seed": "8"})
    begun(at)
    at.button(key="stop").click().run()
    given_up()
    slow.go.set()
    settled(at.selectbox(key="map_measure").set_value("all_zero").run())
    assert slow.known is None  # of another map nothing is known
    settled(at.selectbox(key="map_measure").set_value("first_nonfinite").run())
    assert 0 < slow.known.fraction_done < 1


def test_who_moves_on_leaves_the_work_on_the_map_before(monkeypatch):
    slow = Slow(monkeypatch)
    at = visited("pages/phase_diagram.py", SMALL | {"seed": "6"})
    assert components(at, "refresh")
    before = answers.work().jobs[("sweep", MEANT.replace(base=Experiment(depth=40, seed=6)))]
    at.button_group(key="map_networks").set_value(4).run()
    assert not before.is_wanted
    slow.go.set()
    settled(at)


def test_a_cell_is_told_in_words_with_its_link_to_explore():
    at = opened(**SMALL)
    # It begins at the cell nearest to the controls: s = 1 and n = 512.
    assert "s = 0.631, n = 64: NaN iteration " in text(at)
    at.select_slider(key="cell_x_6").set_value(5).run()
    at.select_slider(key="cell_y_4").set_value(2).run()
    assert "s = 10, n = 40: NaN iteration i = " in text(at)
    [link] = [each for each in at.get("page_link") if "Open this cell" in each.proto.label]
    query = parse_qs(link.proto.query_string)
    assert query == {"open": ["width:40,depth:40,scale:10"]}
    [component] = components(at, "address of Open this cell in Explore")
    assert json.loads(component.proto.json) == {"href": "./?width=40&depth=40&scale=10"}


def test_a_click_on_a_cell_opens_it_in_explore(monkeypatch):
    clicked = cell.on_click(MEANT)
    at = opened(**SMALL)
    found = {}
    monkeypatch.setattr(cell.st, "session_state", found)
    clicked({"column": 99, "row": 0})  # of a map that is not there any more
    assert found == {}
    clicked({"column": 4, "row": 2})
    monkeypatch.undo()
    [experiment] = found.values()
    assert experiment == MEANT.experiment(4, 2)
    at.session_state[cell.CLICKED] = experiment
    at.run()
    assert not at.exception
    assert at.select_slider(key="width").value == 40 and at.select_slider(key="depth").value == 40


def test_what_is_set_here_is_set_on_explore_and_the_map_is_there_on_return():
    at = opened(**SMALL, activation="relu")
    at.switch_page("pages/explore.py").run()
    assert not at.exception
    assert at.selectbox(key="activation").value == "relu"
    at.switch_page("pages/phase_diagram.py").run()
    assert address(settled(at))["x"] == SMALL["x"]
    at.switch_page("pages/number_formats.py").run()
    assert problems(at) == []


def test_the_link_to_copy_reads_back():
    at = opened(**SMALL, measure="log2_std@7", activation="relu")
    [code] = at.code
    query = {name: texts[0] for name, texts in parse_qs(urlsplit(code.value).query).items()}
    found, wrong = Landscape.from_query(query, presets.DEFAULT)
    assert wrong == []
    base = Experiment(depth=40, activation="relu")
    assert found == MEANT.replace(base=base, measure="log2_std@7")


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_border_has_a_line_and_words(kind):
    assert Border(kind, np.array([0.1]), np.array([1.0])).name
    assert _LINES[kind] and border_words._BORDERS[kind].endswith(".")


@pytest.mark.parametrize("name", [name for name in presets.PRESETS if name.startswith("Residual")])
def test_a_map_of_residual_layers_is_explained_to_its_end(name):
    preset = presets.PRESETS[name]
    query = preset.base.replace(width=16).to_query() | preset.to_query()
    smaller = {axis: re.sub(r":\d+$", ":3", query[axis]) for axis in ("x", "y")}
    at = opened(**query | smaller)
    assert not at.exception and problems(at) == []
    said = " ".join(words(part.proto.body) for part in at.get("html"))
    assert "branches of all layers together" in said
