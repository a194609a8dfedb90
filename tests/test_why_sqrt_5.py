"""docs/why_sqrt_5.md: every number and every link of it, against core, closed forms and torch."""

import inspect
import math
import re

import numpy as np
import pytest
import torch

from core import Experiment, mean_field, propagate
from core.question.naming import stop_name
from core.reading.library_bias import bias_note
from core.reading.torch_default import default_card
from core.text import significant
from pages.words.document import WHY_SQRT_5, text_of
from tests import why_sqrt_5
from tests.why_sqrt_5 import LINK, PAGE, experiment

TEXT = PAGE.read_text()
LINKS = LINK.findall(TEXT)
N = 512


def test_the_tables_of_the_page_are_what_core_computes():
    assert why_sqrt_5.written(TEXT) == TEXT


def test_every_link_opens_the_case_that_its_row_names():
    assert len(LINKS) == TEXT.count("](?") == 12
    for query in LINKS:
        e = experiment(query)  # raises where a link has a problem
        assert e.weights == "fresh" and e.width == N and e.depth in (20, 50)
        assert ("bias_std" in query) == (stop_name(e, "bias_std") == "1/√(3n)")
    for row in re.findall(r"^\| \[.*", TEXT, re.MULTILINE):
        label, query = re.match(r"\| \[(.*?)\]\(\?(.*?)\) \|", row).groups()
        e = experiment(query)
        phi = {"none": "linear"}.get(*[re.split(r", ", label.replace(", with bias", ""))[-1]] * 2)
        assert e.activation == phi.lower() and (e.bias_std > 0) == ("with bias" in label)
        rule = re.match(r"`(\w+)`", label)
        assert e.init == (rule[1] if rule else "torch_linear")


def test_the_call_is_torchs_and_draws_what_the_page_says():
    source = inspect.getsource(torch.nn.Linear.reset_parameters)
    assert "init.kaiming_uniform_(self.weight, a=math.sqrt(5))" in source
    assert "uniform(-1/sqrt(in_features), 1/sqrt(in_features))" in source  # the comment of 2021
    gain = torch.nn.init.calculate_gain("leaky_relu", math.sqrt(5))
    assert gain == pytest.approx(1 / math.sqrt(3), rel=1e-15)
    torch.manual_seed(0)
    layer = torch.nn.Linear(N, N)
    for drawn in (layer.weight, layer.bias):
        end = float(drawn.detach().abs().max())
        assert 0.98 / math.sqrt(N) < end <= 1 / math.sqrt(N)
    # 262,144 uniform numbers: four standard errors of their std, each 0.45/√N of it.
    assert float(layer.weight.detach().std()) == pytest.approx(
        1 / math.sqrt(3 * N), rel=4 * 0.45 / N
    )
    for number in (f"1/√3 = {3**-0.5:.3f}", f"1/√6 = {6**-0.5:.3f}", f"√6 = {6**0.5:.2f} times"):
        assert number in TEXT
    assert math.sqrt(3) * gain / math.sqrt(N) == pytest.approx(1 / math.sqrt(N), rel=1e-15)


def test_the_factors_per_layer_are_those_of_the_page_in_real_layers_of_torch():
    torch.manual_seed(1)
    x = torch.randn(2048, 8, dtype=torch.float64).requires_grad_()
    for phi, factor in ((torch.nn.Identity(), 3**-0.5), (torch.relu, 6**-0.5)):
        w = torch.nn.Linear(2048, 2048, dtype=torch.float64).weight.detach()
        y = phi(w @ x)
        g = torch.randn(y.shape, dtype=torch.float64)
        (back,) = torch.autograd.grad(y, x, g)
        # 16,384 units, half of them 0: var(φ²)/mean(φ²)² is 5 for ReLU, so the mean square has a
        # standard error of √(5/16384) of itself, 1.7 %; five of those.
        error = 5 * math.sqrt(5 / 16_384)
        for after, before in ((y, x), (back, g)):
            found = float(after.detach().square().mean() / before.detach().square().mean())
            assert found == pytest.approx(factor**2, rel=error)


def test_the_floor_is_the_fixed_point_of_its_own_map():
    sigma_w, sigma_b = 3**-0.5, (3 * N) ** -0.5
    for phi, q in (("linear", 1 / (2 * N)), ("relu", 2 / (5 * N))):
        assert mean_field.fixed_point(phi, sigma_w, sigma_b) == pytest.approx(q, rel=1e-9)
        found = 0.7
        for _ in range(200):  # the recursion of the text
            found = found * (1 if phi == "linear" else 0.5) / 3 + 1 / (3 * N)
        assert found == pytest.approx(q, rel=1e-12)
    for phi in ("linear", "relu", "tanh", "gelu"):  # each attracts every correlation
        assert mean_field.stable_correlation(phi, sigma_w, sigma_b) == pytest.approx(1, abs=1e-9)
    assert "settles at q* = 1/(2n)" in TEXT and "q* = 2/(5n)" in TEXT


def test_the_share_of_the_input_is_the_closed_form_and_what_real_layers_do():
    rows = re.findall(r"^\| (\d+) \| (\S+) \| (\S+) \|$", TEXT, re.MULTILINE)
    assert [int(row[0]) for row in rows] == [1, 2, 4, 6, 8, 10, 14, 20]
    for k, measured, known in ((int(k), *map(_number, rest)) for k, *rest in rows):
        exact = 3**-k / (3**-k + (1 - 3**-k) / (2 * N))
        assert known == pytest.approx(exact, rel=5e-3)  # three digits
        # The cosine of two inputs of 512 numbers scatters by 1/√512, later lengths by as much.
        assert measured == pytest.approx(exact, rel=5 * math.sqrt(2 / N))


def _number(text):
    return float(text.replace("−", "-"))


def test_fifty_real_layers_of_torch_end_where_the_page_says():
    torch.manual_seed(0)
    ends = []
    with torch.no_grad():
        for _ in range(12):
            x = torch.randn(N)
            for _ in range(50):
                x = torch.relu(torch.nn.Linear(N, N)(x))
            ends.append(float(x.square().mean().sqrt()))
    # A network scatters by 5 % around the floor; the mean of 12 by a third of that.
    assert np.mean(ends) == pytest.approx(math.sqrt(1 / (5 * N)), rel=0.06)


def test_the_card_has_the_numbers_of_the_page_and_cases_that_open_them():
    e = Experiment(init="torch_linear", activation="relu", depth=50, weights="fresh")
    found = default_card(e)
    texts = [each.text for each in found.numbers]
    assert texts == ["× 0.408", significant((1 / (5 * N)) ** 0.5), "1", "× 0.408"]
    assert "an rms of 0.0198 is a floor" in found.sentence and "gradient by 0.408" in found.sentence
    assert found.cases["without biases"] == experiment(LINKS[2])
    assert found.cases["with its biases"] == experiment(LINKS[3])
    assert found.cases["two inputs"].batch_size == 2
    for case in found.cases.values():
        assert (case.width, case.depth, case.activation) == (N, 50, "relu")
        assert np.isfinite(propagate(case).stats.rms).all()
    linear = default_card(e.replace(activation="linear"))
    assert [each.text for each in linear.numbers] == ["× 0.577", "0.0313", "1", "× 0.577"]
    assert default_card(e.replace(weights="tied", bias_std=0.3)) == found
    assert default_card(e.replace(scale=7.0)) is None  # nn.Linear draws no such weights


@pytest.mark.parametrize("phi", ["sigmoid", "relu_squared", "3*x", "selu", "leaky_relu(3)"])
def test_the_card_claims_what_a_wide_network_does(phi):
    e = Experiment(init="torch_linear", activation=phi, width=1024, depth=40, weights="fresh")
    found = default_card(e)
    numbers = {each.term: each.text.removeprefix("× ") for each in found.numbers}
    x = propagate(found.cases["without biases"]).stats.log2_rms
    factor = numbers["x per layer, no bias"]
    if factor != "none is constant":
        seen = 2 ** ((x[40] - x[20]) / 20)
        # Each layer's factor scatters by about 1/√1024, twenty of them by a fifth of that; narrow
        # networks are smaller than their mean square by as much.
        assert seen == pytest.approx(float(factor), rel=0.03)
    if found.sentence:
        two = propagate(found.cases["two inputs"]).stats
        rms = float(numbers["rms of x in the end, with biases"])
        assert two.rms[-1] == pytest.approx(rms, rel=0.15)
        assert two.values["cosine_of_inputs"][-1] == pytest.approx(1, abs=1e-2)
    else:
        assert numbers.keys() == {"x per layer, no bias"}


def test_no_other_initialiser_and_no_other_layer_has_the_card():
    e = Experiment(init="torch_linear")
    assert default_card(e) and bias_note(e)
    assert default_card(e.replace(init="kaiming_uniform")) is None
    assert default_card(e.replace(skip="identity")) is None


def test_the_app_shows_the_page_without_its_title_and_comments():
    shown = text_of(WHY_SQRT_5)
    assert "<!--" not in shown and not shown.startswith("#") and "## What the call does" in shown
    assert all(f"](?{query})" in shown for query in LINKS)
    assert "](why" not in shown and ".md" not in shown  # no link that the app does not serve
