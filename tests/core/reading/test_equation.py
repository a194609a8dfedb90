import re
from itertools import product

import pytest

from core import ACTIVATIONS, Experiment
from core.layer.branches import BRANCHES, NORM_PLACES, NORMS, SKIPS
from core.question.presets import PRESETS
from core.reading.equation import equation

E = Experiment(width=8, depth=100)
X = "x_{k-1}"


def of_preset(name, **changes):
    return equation(PRESETS[name].applied(E.replace(**changes)))


@pytest.mark.parametrize(
    ("written", "changes"),
    [
        (rf"x_k = a\,{X}", {}),
        (rf"x_k = a_{{k}}\,{X} + b_{{k}}", {"weights": "fresh", "bias_std": 0.1}),
        (
            rf"x_k = \varphi(a\,{X} + b),\quad {{\varphi = \text{{ReLU}}}}",
            {"activation": "relu", "bias_std": 0.1},
        ),
        (
            rf"x_k = \mathrm{{RMS}}({X} + a\,{X})",
            {"skip": "identity", "norm": "rms", "norm_place": "after"},
        ),
        (
            rf"x_k = {X} + 0.3\,(a\,{X} + b)",
            {"skip": "identity", "branch_scale": 0.3, "bias_std": 1.0},
        ),
        (rf"x_k = {X} + \tfrac{{1}}{{L}}\,a\,{X}", {"skip": "identity", "branch_scale": 0.01}),
        (rf"x_k = {X} + 5\cdot 10^{{-6}}\,a\,{X}", {"skip": "identity", "branch_scale": 5e-6}),
        (
            rf"x_k = a_{{2}}\,\mathrm{{LN}}(a_{{1}}\,{X})",
            {"branch": "mlp", "norm": "layer", "norm_place": "inside"},
        ),
    ],
)
def test_a_layer_is_written_as_it_is(written, changes):
    assert equation(E.replace(**changes)) == written


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("plain", rf"x_k = a\,{X}"),
        ("ResNet", rf"x_k = {X} + a_{{k}}\,\varphi({X})"),
        ("pre-norm", rf"x_k = {X} + a_{{2,k}}\,\varphi(a_{{1,k}}\,\mathrm{{LN}}({X}))"),
        ("post-norm", rf"x_k = \mathrm{{LN}}({X} + a_{{2,k}}\,\varphi(a_{{1,k}}\,{X}))"),
        ("BatchNorm", rf"x_k = \varphi(\mathrm{{BN}}(a_{{k}}\,{X}))"),
        (
            "GPT-2",
            rf"x_k = {X} + \tfrac{{1}}{{\sqrt{{2L}}}}\,a_{{2,k}}\,"
            rf"\varphi(a_{{1,k}}\,\mathrm{{LN}}({X}))",
        ),
        ("ReZero", rf"x_k = {X} + 0\,a_{{2,k}}\,\varphi(a_{{1,k}}\,{X})"),
    ],
)
def test_the_equation_of_each_preset(name, written):
    assert of_preset(name).split(r",\quad")[0] == written


def test_alpha_has_its_name_at_every_depth():
    for depth in (1, 50, 100, 137):  # at 50 and 100 a slider has the plain numbers too
        assert r"\tfrac{1}{\sqrt{2L}}" in of_preset("GPT-2", depth=depth)


def is_balanced(text):
    """Whether braces and parentheses close in order."""
    still = re.sub(r"[^(){}]", "", text)
    while (less := still.replace("()", "").replace("{}", "")) != still:
        still = less
    return still == ""


COMMANDS = {"varphi", "quad", "text", "mathrm", "tfrac", "sqrt", "cdot"}


def test_every_layer_is_written_in_commands_that_katex_knows():
    parts = product(BRANCHES, SKIPS, NORMS, NORM_PLACES, ACTIVATIONS, (0.0, 0.1), (1.0, 0.1, 0.0))
    for branch, skip, norm, place, activation, bias_std, alpha in parts:
        e = E.replace(branch=branch, skip=skip, norm=norm, norm_place=place, batch_size=2)
        e = e.replace(activation=activation, bias_std=bias_std, branch_scale=alpha)
        text = equation(e)
        assert is_balanced(text) and text.isascii() and not set(text) & set("$%#&~|\n"), text
        assert set(re.findall(r"\\([a-z]+)", text)) <= COMMANDS, text
        assert (r"\varphi" in text) == (activation != "linear")
        symbol = NORMS[norm].symbol
        assert norm == "none" or rf"\mathrm{{{symbol}}}" in text
        assert (f"{X} + " in text) >= (skip == "identity")


def test_a_formula_that_was_typed_is_written_as_mathematics():
    typed = equation(Experiment(activation="x*sigmoid(1.702*x)"))
    written = r"x\,\operatorname{sigmoid}\left(1.702\,x\right)"
    assert typed == rf"x_k = \varphi(a\,x_{{k-1}}),\quad {{\varphi(x) = {written}}}"
    shifted = equation(Experiment(activation="relu(shift=-0.5)"))
    assert shifted.endswith(r"{\varphi(x) = \max(x, 0) -0.5}")
