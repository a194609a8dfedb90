"""The page that checks a model: specimens, their link, what it refuses, and reports from files."""

import json
import re
from functools import cache

import pytest
import torch
from torch import nn

from core.probe.check import check
from core.probe.file import MOST_BYTES
from core.specimens import SPECIMENS, examine
from pages.checking.choice import Chosen
from pages.work import answers
from tests.pages.test_explore import problems, visited, words
from tests.pages.test_phase_diagram import components

QUICK = {"model": "mlp", "mlp_depth": "5", "mlp_width": "64"}
DEEP = QUICK | {"mlp_depth": "30", "mlp_init": "normal"}


@pytest.fixture(autouse=True)
def _nothing_kept(monkeypatch):
    """Every test begins without answers."""
    monkeypatch.setattr(answers, "work", cache(answers.work.__wrapped__))


def opened(**query):
    return visited("pages/your_model.py", query)


def bodies(at):
    return [block.proto.body for block in at.get("html")]


def verdict(at):
    found = [body for body in bodies(at) if body.startswith('<p class="gi-check-verdict"')]
    return words(found[0])


def ladder(at):
    [found] = [body for body in bodies(at) if body.startswith('<div class="gi-ladder">')]
    return found


def control(at, name):
    [found] = [each for each in (*at.selectbox, *at.get("button_group")) if each.key == name]
    return found


def address(at):
    """What the page writes into the address."""
    data = json.loads(components(at, "address")[0].proto.json)
    return data["params"]


def report_of(model, batch):
    return check(model, batch)


@pytest.fixture(scope="module")
def broken():
    """The report of a deep network with weights of N(0, 1)."""
    torch.manual_seed(0)
    layers = [layer for _ in range(30) for layer in (nn.Linear(64, 64), nn.ReLU())]
    for layer in layers[::2]:
        nn.init.normal_(layer.weight)
    return check(nn.Sequential(*layers), torch.randn(16, 64))


def dropped(at, text, key="own_report"):
    """The page after a file was dropped onto it."""
    [place] = [each for each in at.file_uploader if each.key == key]
    data = text if isinstance(text, bytes) else text.encode()
    place.upload("report.json", data, "application/json").run()
    assert not at.exception
    return at


@pytest.mark.parametrize("name", ["mlp", "lenet", "lstm"])
def test_the_page_shows_what_the_library_finds(name):
    report = examine(SPECIMENS[name], {})
    at = opened(model=name)
    assert report.forward.replace("e-", "e−") in verdict(at)
    assert verdict(at).split()[0] == report.word
    names = {row.name for row in report.evidence.rows}
    assert len(re.findall(r"<details><summary>", ladder(at))) == len(names)


def test_a_link_opens_the_same_controls_and_says_so_again():
    query = DEEP | {"beside": "factors", "judged_in": "float16", "draws": "3"}
    at = opened(**query)
    for name, text in query.items():
        assert at.session_state[name] == text
    assert not problems(at)
    assert address(at) == {name: text for name, text in query.items() if name != "model"}
    assert "3 draws of the weights" in " ".join(map(words, bodies(at)))
    assert '"gi-flag">○' not in ladder(at)  # nothing is wrong with the factors
    assert "gi-second" in ladder(at)


def test_a_link_with_other_values_names_each_and_uses_the_usual_ones():
    at = opened(model="<b>", mlp_depth="7", judged_in="half", draws="0", show="me", width="3")
    told = problems(at)
    assert len(told) == 5
    assert "draws must be one of 1, 3, 10, got '0': 1 is used" in told
    assert "mlp_depth must be one of 5, 10, 20, 30, 50, 100, got '7': 10 is used" in told
    assert any(each.startswith("model must be one of mlp, lenet") for each in told)
    assert at.session_state["model"] == "mlp" and address(at) == {}
    at.selectbox(key="model").select("lenet").run()
    assert not problems(at)


def test_another_model_has_its_own_controls_and_the_first_keeps_its_own():
    at = opened(**QUICK)
    at.selectbox(key="model").select("lenet").run()
    assert not at.exception
    assert address(at) == {"model": "lenet"}
    at.selectbox(key="model").select("mlp").run()
    assert address(at) == {"mlp_depth": "5", "mlp_width": "64"}


def test_two_networks_are_drawn_on_one_ladder():
    at = opened(**QUICK, beside="another", with_model="lenet", with_lenet_init="small")
    text = " ".join(map(words, bodies(at)))
    assert "Beside it: LeNet-5, weights: N(0, 0.01²)" in text
    assert "○ vanishes" in ladder(at)
    names = {row.name for name in ("mlp", "lenet") for row in _rows(name, at)}
    assert len(re.findall(r"<details><summary>", ladder(at))) == len(names)


def _rows(name, at):
    values = {"mlp": {"depth": "5", "width": "64"}, "lenet": {"init": "small"}}[name]
    return examine(SPECIMENS[name], values).evidence.rows


def test_the_same_model_beside_itself_is_drawn_once():
    at = opened(**QUICK, beside="another")
    at.selectbox(key="with_mlp_depth").select("5").run()
    at.selectbox(key="with_mlp_width").select("64").run()
    assert "gi-second" not in ladder(at)


def test_a_healthy_network_has_no_factors_to_compare_with():
    at = opened(**QUICK, beside="factors")
    assert at.session_state["beside"] == "nothing"
    assert "gi-second" not in ladder(at)


def test_what_the_host_does_not_allow_is_refused_in_words(monkeypatch):
    monkeypatch.setenv("GOOD_INIT_MAX_BYTES", "1e8")
    at = opened(model="gpt_2")
    assert problems(at) == [
        "GPT-2 small's blocks needs about 1.3 GiB of memory and the host allows 0.1 GiB: lower its "
        "depth or width, or the draws"
    ]


def test_a_report_from_a_file_is_drawn_as_it_was_measured(broken):
    at = dropped(opened(show="file"), broken.to_text())
    assert verdict(at).startswith("explodes Forward, the rms goes from")
    assert "explodes" in ladder(at) and "60" not in problems(at)
    assert "no report" not in " ".join(problems(at))
    at.selectbox(key="beside").select("factors").run()
    assert "gi-second" in ladder(at)


def test_two_files_are_drawn_on_one_ladder(broken):
    at = dropped(opened(show="file", beside="another"), broken.to_text())
    at = dropped(at, broken.after.to_text(), "other_report")
    assert "gi-second" in ladder(at)
    assert "Beside it: Sequential, the other" in " ".join(map(words, bodies(at)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file must be JSON"),
        ("[" * 100_000, "the file must be JSON"),
        (b"\xff\xfe", "the file must be JSON"),
        ("{}", 'the file must be an object with "good_init_report": 1'),
        ('{"good_init_report": 1}', "evidence must be an object of model, rows,"),
        (" " * (MOST_BYTES + 1), "the file must have at most"),
    ],
)
def test_another_file_is_refused_in_words(text, told):
    at = dropped(opened(show="file"), text)
    [problem] = problems(at)
    assert problem.startswith(f"report.json is no report: {told}")


def test_names_in_a_file_stay_words(broken):
    text = broken.to_text().replace('"Sequential"', '"<img src=x onerror=alert(1)>"')
    text = text.replace('"name": "58"', '"name": "<script>alert(1)</script>"')
    at = dropped(opened(show="file"), text)
    everything = " ".join(bodies(at))
    assert "&lt;script&gt;" in everything and "&lt;img src=x" in everything
    assert "<script" not in everything and "<img src=x" not in everything


def test_the_page_says_why_no_code_is_run_and_shows_the_command():
    at = opened(show="file")
    text = " ".join(map(words, bodies(at)))
    assert "Your model stays with you" in text
    assert "python -m good_init.probe my_module:build" in at.code[0].value


def test_a_label_names_the_choices_that_are_not_the_usual_ones():
    specimen = SPECIMENS["resnet_50"]
    usual = Chosen("resnet_50", tuple(sorted(specimen.whole({}).items())))
    assert usual.label == "ResNet-50"
    bare = Chosen("resnet_50", tuple(sorted(specimen.whole({"norm": "no"}).items())))
    assert bare.label == "ResNet-50, batch norm: without"


def test_what_was_chosen_is_there_again_after_another_page():
    at = opened(**QUICK)
    at.switch_page("pages/guess.py").run()
    at.query_params.clear()
    at.switch_page("pages/your_model.py").run()
    assert not at.exception
    assert at.session_state["mlp_depth"] == "5"
    assert address(at) == {"mlp_depth": "5", "mlp_width": "64"}
