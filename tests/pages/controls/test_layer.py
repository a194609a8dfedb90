"""The controls of what a layer is made of, and how its fields travel from page to page."""

import pytest

from core import Experiment, propagate
from core.question.experiment import NAMED_STOPS
from core.question.presets import PRESETS
from core.reading.equation import equation
from core.reading.verdict import judge
from tests.pages.test_explore import (
    LINK,
    MEANT,
    answer,
    chart,
    controls,
    opened,
    problems,
    shown,
    visited,
    widget,
)

SMALL = {"width": "16", "depth": "8"}
OF_A_CHOICE = ("expansion", "branch_scale", "norm_place")


def pressed(at):
    """The presets that are marked as what is on screen."""
    buttons = [each for each in at.button if (each.key or "").startswith("layer_")]
    assert len(buttons) == len(PRESETS)
    return [each.label for each in buttons if each.proto.type == "primary"]


def clicked(at, name):
    at.button(key=f"layer_{name}").click().run()
    assert not at.exception
    return at


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_click_and_its_answer_is_the_networks_own(name):
    at = clicked(opened(**SMALL), name)
    e = PRESETS[name].applied(Experiment(width=16, depth=8))
    assert shown(at) == e and pressed(at) == [name] and problems(at) == []
    assert judge(propagate(e)).sentence in answer(at)
    [written] = [each.value for each in at.markdown if each.value.startswith("$x_k")]
    assert written == f"${equation(e)}$"


def test_presets_one_after_the_other_leave_nothing_behind():
    at = opened(**SMALL)
    for name in ("GPT-2", "BatchNorm", "ReZero", "plain"):
        clicked(at, name)
        assert pressed(at) == [name]
    assert shown(at).layer.is_plain and shown(at).activation == "relu"


def test_a_field_that_has_no_effect_is_not_drawn():
    at = opened(**SMALL)
    assert not set(OF_A_CHOICE) & set(controls(at))
    widget(at, "skip").set_value("identity").run()
    widget(at, "branch").set_value("mlp").run()
    widget(at, "norm").set_value("rms").run()
    assert set(OF_A_CHOICE) <= set(controls(at))
    widget(at, "expansion").set_value(2).run()
    widget(at, "branch").set_value("product").run()
    assert "expansion" not in controls(at) and shown(at).expansion == 2
    assert not at.exception and problems(at) == []


def test_the_branch_scale_follows_the_depth():
    at = clicked(opened(**SMALL), "GPT-2")
    for depth in (50, 100, 7):
        widget(at, "depth").set_value(depth).run()
        assert shown(at).branch_scale == (1 / (2 * depth)) ** 0.5
        assert pressed(at) == ["GPT-2"] and widget(at, "branch_scale").value == "1/√(2L)"
        assert chart(at, "std")["live"]["named"] == {"branch_scale": "1/√(2L)"}
    at.session_state["layer"] = False  # folded away it follows too
    at.run()
    widget(at, "depth").set_value(40).run()
    assert shown(at).branch_scale == (1 / 80) ** 0.5
    assert chart(at, "std")["live"]["named"] == {"branch_scale": "1/√(2L)"}


@pytest.mark.parametrize("stop", NAMED_STOPS["branch_scale"])
@pytest.mark.parametrize("depth", ["7", "100"])
def test_a_named_branch_scale_stays_one_in_a_link(stop, depth):
    at = opened(width="16", depth=depth, skip="identity", branch_scale=stop)
    assert widget(at, "branch_scale").value == stop
    at.button(key="branch_scale_stop_1").click().run()
    assert shown(at).branch_scale == 1
    at.button(key=f"branch_scale_stop_{stop}").click().run()
    assert shown(at).branch_scale == NAMED_STOPS["branch_scale"][stop](16, int(depth))


def test_a_batch_norm_brings_a_batch():
    at = opened(**SMALL)
    widget(at, "norm").set_value("batch").run()
    assert shown(at).norm == "batch" and shown(at).batch_size == 32 and problems(at) == []
    widget(at, "batch_size").set_value(4).run()
    widget(at, "norm").set_value("layer").run()
    widget(at, "norm").set_value("batch").run()
    assert shown(at).batch_size == 4  # the viewer's own


def test_a_batch_of_one_with_a_batch_norm_is_named_and_mended_by_the_viewer():
    at = opened(**SMALL, norm="batch", batch_size="4")
    widget(at, "batch_size").set_value(1).run()
    [problem] = problems(at)
    assert problem == "batch_size must be at least 2 where norm is batch, got 1: norm none is used"
    assert shown(at) == Experiment(width=16, depth=8)
    widget(at, "batch_size").set_value(2).run()
    assert problems(at) == [] and shown(at).norm == "batch"


@pytest.mark.parametrize("query", [{"norm": "batch"}, {"norm": "batchnorm", "batch_size": "1"}])
def test_a_link_to_a_batch_norm_of_one_input_opens_with_a_message(query):
    at = opened(**SMALL, **query)
    assert problems(at)[-1].startswith("batch_size must be at least 2 where norm is batch, got 1")
    assert shown(at) == Experiment(width=16, depth=8)


def kept(at):
    """The fields that no page binds to the address, as the controls have them."""
    names = ("branch", "expansion", "skip", "branch_scale", "norm", "norm_place", "input")
    return {name: at.session_state[name] for name in names}


KEPT = {name: getattr(MEANT, name) for name in ("branch", "expansion", "skip")} | {
    "norm": "rms",  # a batch norm needs the batch, whose slider is bound on some pages
    "branch_scale": "1/√(2L)",
    "norm_place": "inside",
    "input": "pixels",
}
PAGES = ["number_formats", "phase_diagram", "width_sweep"]


@pytest.mark.parametrize("page", PAGES)
def test_every_field_travels_over_every_page(page):
    at = visited(f"pages/{page}.py", LINK | {"norm": "rms"})
    assert problems(at) == [] and kept(at) == KEPT
    at.switch_page("pages/explore.py").run()
    assert not at.exception and kept(at) == KEPT


def test_the_lesson_leaves_the_fields_of_other_pages_alone():
    at = opened(**LINK | {"norm": "rms"})
    at.switch_page("pages/lesson.py").run()
    assert not at.exception
    at.switch_page("pages/explore.py").run()
    assert not at.exception and kept(at) == KEPT


@pytest.mark.parametrize("page", PAGES)
def test_every_page_shows_every_layer(page):
    sizes = {"width": "16", "depth": "4"}
    if page != "number_formats":
        sizes |= {"x": "width=8..16:2", "y": "depth=1,2", "networks": "4"}
    for preset in PRESETS.values():
        at = visited(f"pages/{page}.py", sizes | preset.query)
        assert problems(at) == [] and not at.error
