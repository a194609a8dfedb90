"""Every number and name in the sentences of a verdict and in findings is true."""

import re
from math import log, log2

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from core.probe.check import check
from core.probe.rules import FAR

from .models import Call, normal, randn
from .test_rules import biased, detached, found, gains, of_size

_X = randn(64, 64)
_CLASSES = torch.arange(64) % 10
NUMBER = r"(-?\d+(?:\.\d+)?(?:e-?\d+)?)"


def test_the_sentences_tell_the_ends_and_the_slope():
    model = gains(None)
    report = check(model, _X)
    sizes, y = [], _X.double()
    with torch.no_grad():
        for layer in model.double():
            y = layer(y)
            sizes += [y.square().mean().sqrt().item()] if isinstance(layer, nn.Linear) else []
    low, high = map(float, re.findall(NUMBER + r" at \S*", report.forward)[:2])
    assert (low, high) == (pytest.approx(sizes[0], rel=6e-3), pytest.approx(sizes[-1], rel=6e-3))
    first, last = report.evidence.matrices[0], report.evidence.matrices[-1]
    assert (first.name, last.name) == ("0", "58") and report.word == "explodes"
    assert re.search(r"\b0 to \S+ at (\w+ )?58", report.forward) and "explodes" in report.forward
    assert report.verdict == f"Explodes. {report.forward} {report.backward}"
    [each] = [each for each in report.findings if each.rule == "explodes"]
    factor, matrices = re.fullmatch(rf"× {NUMBER} over (\d+) matrices", each.number).groups()
    assert int(matrices) == 30 and log2(float(factor)) == pytest.approx(
        log2(sizes[-1] / sizes[0]), abs=2
    )
    assert each.threshold.startswith("× ")
    assert float(each.threshold[2:]) == pytest.approx(2**FAR, rel=5e-3)


def test_the_numbers_of_findings_are_those_of_the_experiment():
    [dead] = [found(biased(-10))["dead_units"]]
    with torch.no_grad():
        share = (biased(-10)[:4](_X) == 0).all(0).double().mean().item()
    assert dead.module == "3" and dead.number == f"{100 * share:.3g} % of the units"
    model = of_size(10)
    loss = found(model, target=_CLASSES)["initial_loss"]
    told, classes, chance = re.fullmatch(rf"{NUMBER}, ln (\d+) = {NUMBER}", loss.number).groups()
    assert float(told) == pytest.approx(F.cross_entropy(model(_X), _CLASSES).item(), rel=1e-3)
    assert int(classes) == 10 and float(chance) == pytest.approx(log(10), rel=1e-3)
    cut = found(detached(True))["no_gradient"]
    assert (cut.module, cut.number) == ("a.weight", "no gradient")
    assert found(Call(lambda self, x: x.detach(), a=nn.ReLU()))["no_gradient"].module == ""


def test_what_is_not_a_number_is_told_as_that():
    batch = _X.clone()
    batch[0, 0] = torch.nan
    report = check(nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)), batch)
    assert report.word == "breaks" and "NaN" in report.forward
    assert "beyond every number format" not in report.forward


def test_a_module_called_like_the_class_of_the_model_has_a_row_of_its_own():
    model = Call(lambda self, x: self.scale * self.Call(x), Call=nn.Linear(64, 64))
    model.scale = nn.Parameter(torch.ones(64))
    rows = check(model, _X).evidence.rows
    assert [row.kind for row in rows] == ["Linear", "Call"] and rows[0].name != rows[1].name


def test_functions_and_second_calls_are_told_by_their_names():
    def forward(self, x):
        return self.a(torch.relu(self.a(torch.relu(self.a(x)))))

    report = check(Call(forward, a=normal(nn.Linear(64, 64))), _X, seeds=1)
    assert list(report.table["module"]) == ["a", "relu()", "a#2", "relu()#2", "a#3"]
    assert [row.title for row in report.evidence.rows][1::2] == ["relu()", "relu()#2"]
    assert " at Linear a " in report.forward and "at Linear a#3" in report.forward
    assert check(nn.Linear(64, 64), _X).evidence.rows[0].title == "Linear"
