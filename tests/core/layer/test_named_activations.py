"""Activations by a name with a number, and by a formula in x."""

import math
import random
import re
import string
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from core import (
    ACTIVATIONS,
    Experiment,
    backpropagate,
    mean_field,
    predict,
    propagate,
    sample_ensemble,
    to_script,
)
from core.__main__ import main
from core.layer import moments
from core.layer.activation_families import FAMILIES
from core.layer.expression import FUNCTIONS, read
from core.layer.named_activation import activation_of
from core.layer.refused import RefusedError
from core.layer.typed_activation import loses_parts_from
from core.question import link
from core.simulation.scale_free import is_scale_free
from core.sweep import parse, sweep

X = torch.linspace(-7.3, 7.1, 401, dtype=torch.float64)
MOMENTS = ("second_moment", "second_moment_slope", "derivative_second_moment", "fourth_moment")

MEMBERS = {
    "leaky_relu(0.2)": lambda x: F.leaky_relu(x, 0.2),
    "prelu(0.1)": lambda x: F.prelu(x, torch.tensor([0.1], dtype=x.dtype)),
    "elu(1.5)": lambda x: F.elu(x, 1.5),
    "celu(0.5)": lambda x: F.celu(x, 0.5),
    "softplus(3)": lambda x: F.softplus(x, 3),
    "relu(shift=-0.5)": lambda x: F.relu(x) - 0.5,
    "sin(30)": lambda x: torch.sin(30 * x),
    "silu(1.702)": lambda x: x * torch.sigmoid(1.702 * x),
}
SAME = {
    "x*sigmoid(x)": "silu",
    "x*tanh(softplus(x))": "mish",
    "min(max(x, 0), 6)": "relu6",
    "where(x > 0, x, expm1(min(x, 0)))": "elu",
    "max(x, 0) + 0.01*min(x, 0)": "leaky_relu",
    "x/(1 + abs(x))": "softsign",
    "max(x, 0)^2": "relu_squared",
    "x*(1 + erf(x/√2))/2": "gelu",
    "x*min(max(x + 3, 0), 6)/6": "hardswish",
    "-x": "linear",
}
"""Formula -> the registered activation that it is; −x has the moments of x."""


@pytest.mark.parametrize("name", MEMBERS)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_a_name_with_a_number_is_torchs_own_function_both_ways(name, dtype):
    phi, x = activation_of(name), X.to(dtype).requires_grad_()
    theirs = MEMBERS[name](x)
    assert torch.equal(phi(x), theirs)
    g = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).to(dtype)
    (gradient,) = torch.autograd.grad(theirs, x, g)
    assert torch.equal(phi.backward(x.detach(), g), gradient)
    assert torch.equal(eval(phi.code, {"torch": torch, "x": x}), theirs)


@pytest.mark.parametrize("name", [*MEMBERS, "celu", "gelu_tanh", "hardswish"])
def test_the_derivative_of_a_member_is_autograds(name):
    phi, x = activation_of(name), X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(phi(x).sum(), x)
    torch.testing.assert_close(phi.derivative(X), gradient, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", MEMBERS)
def test_closed_forms_of_members_agree_with_quadrature(name):
    phi = activation_of(name)
    by_hand = replace(phi, closed_form=None)
    for moment in (*MOMENTS, "mean"):
        function = getattr(moments, moment)
        for q in (0.01, 1.0):
            found = function(by_hand, q)
            assert function(phi, q) == pytest.approx(found, rel=1e-9, abs=1e-9), (moment, q)


def test_sirens_first_layer_keeps_the_sine_at_full_swing():
    # Sitzmann et al. 2020: with ω₀ = 30 the sine of a unit signal has the arcsine law, E sin² = ½.
    assert mean_field.second_moment("sin(30)", 1.0) == pytest.approx(0.5, abs=1e-12)
    run = propagate(Experiment(activation="sin(30)", init="xavier_normal", depth=1, width=2048))
    assert run.stats.std[1] == pytest.approx(math.sqrt(0.5), rel=0.02)


@pytest.mark.parametrize("formula, name", SAME.items())
def test_a_formula_has_the_moments_of_the_activation_that_it_is(formula, name):
    phi = activation_of(formula)
    assert phi.name != name
    for moment in MOMENTS:
        function = getattr(moments, moment)
        for q in (1e-3, 1.0, 30.0):
            assert function(phi, q) == pytest.approx(function(name, q), rel=1e-9), (moment, q)
    assert phi.positively_homogeneous == ACTIVATIONS[name].positively_homogeneous
    own = mean_field.profile(Experiment(activation=formula, init="xavier_normal", weights="fresh"))
    theirs = mean_field.profile(Experiment(activation=name, init="xavier_normal", weights="fresh"))
    assert own.log2_rms == pytest.approx(theirs.log2_rms, rel=1e-8, abs=1e-8)


def test_the_approximation_of_gelu_by_a_sigmoid_is_worked_out():
    # Hendrycks & Gimpel 2016, section 2: x σ(1.702 x) is within 0.021 of GELU.
    phi = activation_of("x*sigmoid(1.702*x)")
    assert (phi(X) - F.gelu(X)).abs().max() < 0.021
    assert phi.gain == pytest.approx(activation_of("silu(1.702)").gain, rel=1e-12)
    assert phi.formula == r"x\,\operatorname{sigmoid}\left(1.702\,x\right)"


@pytest.mark.parametrize(
    "formula, kinks",
    [
        ("max(x, 0)", (0.0,)),
        ("max(x - 3, 0) + min(x + 2, 0)", (-2.0, 3.0)),
        ("abs(x*x - 2)", (-math.sqrt(2), math.sqrt(2))),
        ("where(x > 2.5, x, 3*x - 5)", (2.5,)),
        ("hardtanh(2*x)", (-0.5, 0.5)),
        ("max(x, 0)**1.5 - 0.2", (0.0,)),
    ],
)
def test_kinks_of_a_formula_are_found(formula, kinks):
    found = activation_of(formula).kinks
    assert found == pytest.approx(sorted({0.0, *kinks}), abs=1e-11)


def test_a_power_of_one_and_a_half_is_followed_to_any_size():
    phi = "max(x, 0)**1.5"
    # E max(z, 0)³ = √(2/π)
    assert mean_field.second_moment(phi, 4.0) == pytest.approx(8 * math.sqrt(2 / math.pi), rel=1e-9)
    e = Experiment(activation=phi, init="xavier_normal", scale=40.0, depth=12, weights="fresh")
    law = mean_field.profile(e).log2_rms
    growth = [law[k + 1] - 1.5 * law[k] for k in range(6, 11)]
    assert growth == pytest.approx([growth[0]] * 5, abs=1e-6)


@pytest.mark.parametrize(
    "text, reason",
    [
        ("y + x", "'y' is not allowed"),
        ("foo(x)", "'foo' is not allowed"),
        ("x.real", "'x.real' is not allowed"),
        ("__import__('os')", "'__import__' is not allowed"),
        ("(lambda: x)()", "is not allowed"),
        ("x if x else 1", "is not allowed"),
        ("[x]", "is not allowed"),
        ("tanh(x, 2)", "tanh takes 1 argument"),
        ("max(x)", "max takes at least 2 arguments"),
        ("where(x, 1, 2)", "where takes a comparison"),
        ("where(1 < 2, x, 1)", "a comparison must contain x"),
        ("where(x == 1, x, 1)", "one of < <= > >="),
        ("x**x", "the base or the exponent must be a number"),
        ("x**9", "from −4 to 4"),
        ("9**9**9*x", "a number must be from"),
        ("1e999*x", "a number must be from"),
        ("1/0 + x", "no finite value"),
        ("sqrt(-1)*x", "no finite value"),
        ("3*4", "it must contain x"),
        ("x*" * 70 + "x", "at most 120 characters"),
        ("(" * 90 + "x", "no formula"),
        ("-" * 40 + "x", "inside one another"),
        ("x + é", "'é' is not allowed"),
        ("1/x", "must be finite for every x, got inf at x = 0"),
        ("exp(x)", "must be finite for every x"),
        ("where(x > 0, x, exp(x*x) - 1)", "φ must be finite"),
        ("sqrt(abs(x))", "the slope of φ must be finite"),
        ("0*x", "φ must change with x"),
        ("sign(x)", "φ must change with x"),
        ("x*x*x*x*x", "no faster than"),
        ("abs(x)**1.2", "a whole or half power"),
        ("1/(x - 0.3)", "the slope of φ must be at most"),
        ("sin(500*x)", "could not be integrated"),
        ("abs(sin(x))", "at most 12 kinks"),
        ("leaky_relu(20)", "negative_slope of leaky_relu must be from -10 to 10, got 20"),
        ("elu(beta=2)", "the number of elu is called alpha"),
        ("tanh(2)", "tanh has no number in brackets"),
    ],
)
def test_a_text_that_is_not_accepted_says_which_part_and_what_is_allowed(text, reason):
    with pytest.raises(ValueError, match="activation must be") as error:
        Experiment(activation=text)
    assert reason in str(error.value)
    experiment, problems = Experiment.from_query({"activation": text, "width": "7"})
    assert experiment == Experiment(width=7)
    assert len(problems) == 1
    assert reason in problems[0]
    assert problems[0].endswith("linear is used")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1e6*tanh(x/1e6)+" * 6 + "x", "at most 120 characters, got 145"),
        ("max(x-12,0)", "the mean of φ(z)² for z ~ N(0, 1) must be at least 1e-12, got 0"),
        ("x*1e-200", "must be at least 1e-12, got 0"),
        ("max(x,-1e6)", "a number in max must be from −65504 to 65504"),
        ("exp(min(x,700))", "φ must be at most 1e+12·(1 + |x|^4)"),
        ("tanh(1e6*x)", "the slope of φ must be at most 10000"),
        ("sign(x)+0.1*x", "φ must not jump, got -1 below x = 0 and 1 above it"),
        ("where(x>2.5,x,0.1*x)", "φ must not jump, got 0.25 below x = 2.5 and 2.5 above it"),
        ("x*log1p(abs(x))", "a whole or half power of |x|"),
        ("x#comment", "'#' is not allowed"),
    ],
)
def test_what_theory_could_not_follow_is_refused(text, reason):
    with pytest.raises(RefusedError) as error:
        activation_of(text)
    assert reason in str(error.value)


@pytest.mark.parametrize(
    "text", ["x - 1", "e - x", "x--1", "0.5*x - 1e3", "max(x, 1e3/2)", ".5*x-x**2"]
)
def test_the_text_of_a_formula_reads_as_itself(text):
    name = activation_of(text).name
    assert activation_of(name).name == name
    assert Experiment(activation=name).phi is activation_of(name)


@pytest.mark.parametrize(
    "name", ["max(x-1,0)", "x-tanh(x)", "x-hardtanh(x)", "sqrt(1+x*x)-1", "max(x-0.1,0)"]
)
def test_a_function_that_is_flat_at_zero_has_a_profile_and_a_fate(name):
    e = Experiment(
        width=256, depth=12, activation=name, init="xavier_normal", scale=1.5, weights="fresh"
    )
    profile, many = mean_field.profile(e).log2_rms, sample_ensemble(e, 100).log2_rms
    assert not np.isnan(profile).any()
    assert profile[1] == pytest.approx(np.median(many[:, 1]), abs=0.1)
    assert not np.isnan(list(predict(e).log2_rms_quantiles.values())).any()


@pytest.mark.parametrize("name", ["x+tanh(x)", "x*atan(x)", "x+softsign(x)", "x+sin(x)**2"])
def test_a_law_follows_a_sum_of_two_powers_far_out(name):
    e = Experiment(
        width=200, depth=80, activation=name, init="xavier_normal", scale=4.0, weights="fresh"
    )
    median = np.median(sample_ensemble(e, 200).log2_rms[:, -1])
    law = predict(e).log2_rms_quantiles
    assert median == pytest.approx(law[0.5][-1], abs=(law[0.75] - law[0.25])[-1])


@pytest.mark.parametrize(
    ("name", "number_format", "scale", "depth"),
    [
        ("1e6*x/1e6", "float16", 1.0, 5),
        ("x*x/(1+abs(x))", "float16", 2.0, 40),
        ("sqrt(x*x+1)-1", "float32", 8.0, 40),
        ("x/sqrt(1+x*x)", "float16", 400.0, 5),
    ],
)
def test_no_law_is_told_where_a_part_leaves_the_range_and_phi_does_not(
    name, number_format, scale, depth
):
    e = Experiment(
        activation=name, weights="fresh", init="xavier_normal", scale=scale, depth=depth, width=128
    )
    assert predict(e.replace(number_format="float64")).log2_rms_quantiles
    told = predict(e.replace(number_format=number_format))
    assert "leaves the range where φ itself does not" in told.valid
    assert not told.log2_rms_quantiles
    assert not is_scale_free(e.replace(number_format=number_format))


@pytest.mark.parametrize("name", ["x**2/(1+x**2)", "x*x/(1+abs(x))", "x/sqrt(1+x*x)"])
@pytest.mark.parametrize("number_format", ["float16", "bfloat16", "float32"])
def test_a_law_is_told_where_no_signal_comes_so_far(name, number_format):
    e = Experiment(
        activation=name, weights="fresh", init="critical", depth=6, number_format=number_format
    )
    law = predict(e).log2_rms_quantiles
    median = np.median(sample_ensemble(e, 100).log2_rms[:, -1])
    assert law[0.05][-1] < median < law[0.95][-1]


def test_a_slope_that_overflows_is_lost_as_well():
    """The slope of GELU's tanh form, written out: x³ in it, and cosh² in autograd's tanh."""
    written = "0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x**3)))"
    phi = activation_of(written)
    found = loses_parts_from(phi, torch.float16)
    assert 30 < found < 65504
    slope = phi.backward(torch.tensor([2 * found], dtype=torch.float16), torch.ones(1).half())
    assert not slope.isfinite() or abs(slope.item() - 1) > 0.25
    assert loses_parts_from(ACTIVATIONS["gelu_tanh"], torch.float16) == np.inf


def _hostile(draw: random.Random) -> str:
    words = [
        *FUNCTIONS, "x", "max", "min", "where", "pi", "e", "__import__", "eval", "exec", "open",
        "torch", "os", "self", "lambda", "yield", "await", "import", "class", "for", "in", "if",
        "else", "True", "None", "x.__class__", "__builtins__", "().__class__.__bases__", "getattr",
        "print", "globals()", "9**9**9**9", "1e308", "0x7f", "1j", "'a'", 'f"{x}"', "b''", "...",
        ":=", "->", "@", "#", "\\", "\n", "\t", "\0", "`", "$", "%", "//", "**", "<<", "~", "!",
        "é", "😀", "√", "^", "·",
    ]  # fmt: skip
    signs = [*"()[]{}+-*/,.<>=:;x0123456789 "]
    if draw.random() < 0.3:  # a formula in which one place is spoiled
        text = draw.choice(["x*sigmoid(1.702*x)", "max(x,0)**1.5-0.2", "where(x>0,x,expm1(x))"])
        place = draw.randrange(len(text))
        return text[:place] + draw.choice([*words, *signs]) + text[place + draw.randrange(3) :]
    count = draw.randrange(1, 14)
    parts = [draw.choice(draw.choice([words, signs])) for _ in range(count)]
    if draw.random() < 0.1:
        parts.append("".join(draw.choices(string.printable, k=draw.randrange(200))))
    return draw.choice(["", " "]).join(parts)


def test_ten_thousand_hostile_formulas_are_read_or_refused_and_none_is_executed(monkeypatch):
    """What is read is written again from allowed parts alone: names of torch, x and numbers."""
    draw, found = random.Random(0), []
    for name in ("open", "exec", "print", "input"):
        monkeypatch.setattr(f"builtins.{name}", _forbidden(name), raising=False)
    try:
        for text in [_hostile(draw) for _ in range(10_000)]:
            try:
                found.append(read(text))
            except RefusedError as error:
                assert str(error)  # noqa: PT017 the message is what is tested
    finally:
        monkeypatch.undo()
    assert len(found) > 50  # some are formulas
    words = {"torch", "nn", "functional", "x", "to", "dtype", "where", "maximum", "minimum"}
    words |= {"clamp_min", "clamp_max"} | {f.code.rsplit(".", 1)[1] for f in FUNCTIONS.values()}
    for each in found:
        names = set(re.findall(r"[A-Za-z_]\w+", each.code))
        assert {name for name in names if not name.startswith("e")} <= words, each.code


def _forbidden(name):
    def call(*args, **kwargs):
        raise AssertionError(f"{name} was called with {args}")

    return call


@pytest.mark.parametrize(
    "name", ["leaky_relu(0.2)", "sin(30)", "max(x,0)-0.5", "x*sigmoid(1.702*x)"]
)
def test_a_link_a_pin_an_axis_and_a_script_hold_such_a_name(name):
    e = Experiment(width=64, depth=5, activation=name, init="kaiming_normal", batch_size=2)
    assert Experiment.from_query(e.to_query()) == (e, [])
    assert link.from_text(link.to_text(e)) == (e, [])
    axis = parse(f"activation=tanh,{name},relu")
    assert axis.values == ("tanh", name, "relu")
    assert parse(axis.to_text()) == axis
    space: dict = {}
    exec(to_script(e, backward=True), space)
    run, back = propagate(e), backpropagate(e)
    assert (space["x"].numpy() == run.final).all()
    assert back.stats.rms[0] > 0


def test_other_spellings_are_taken_and_told():
    for text, name in (
        ("nn.LeakyReLU(negative_slope=0.2)", "leaky_relu(0.2)"),
        ("swish(1.702)", "silu(1.702)"),
        ("relu( -0.5 )", "relu(shift=-0.5)"),
        ("gelu(x)", "gelu"),
        ("prelu(0.25)", "prelu"),
    ):
        experiment, notes = Experiment.from_query({"activation": text})
        assert experiment.activation == name
        assert notes == [f"activation {text!r} is called {name} here"]
    experiment, notes = Experiment.from_query({"activation": "max(x, 0) - 0.5"})
    assert (experiment.activation, notes) == ("max(x,0)-0.5", [])


def test_every_family_has_its_plain_member_in_the_registry():
    for name, family in FAMILIES.items():
        assert family.member(family.usual) is ACTIVATIONS[name]
        other = family.member((family.usual + family.maximum) / 2)
        assert activation_of(other.name) == activation_of(other.name)
        assert activation_of(other.name).name == other.name


@pytest.mark.parametrize(
    "name",
    ["x*sigmoid(1.702*x)", "max(x,0)**1.5-0.2", "leaky_relu(0.2)", "sin(3)", "relu(shift=-0.5)"],
)
def test_laws_follow_as_for_a_registered_activation(name):
    """Theory against 300 real networks: their median within 4 of its standard errors, and L/n."""
    e = Experiment(
        width=128, depth=6, activation=name, init="critical", weights="fresh", batch_size=1
    )
    law = predict(e)
    many = sample_ensemble(e, 300)
    median = np.median(many.log2_rms[:, -1])
    scatter = many.log2_rms[:, -1].std() * 1.2533 / 300**0.5
    middle = law.log2_rms_quantiles[0.5][-1]
    assert median == pytest.approx(middle, abs=4 * scatter + 6 / 128)
    chi = mean_field.chi_1(name, 1.3, 0.1)
    q = mean_field.fixed_point(name, 1.3, 0.1)
    if q is not None and np.isfinite(q):
        assert chi == pytest.approx(1.3**2 * mean_field.derivative_second_moment(name, q), rel=1e-9)


def test_a_formula_is_a_value_of_a_sweep_and_runs_at_the_command_line(capsys):
    formula = "x*sigmoid(1.702*x)"
    base = Experiment(width=32, depth=4, weights="fresh", init="critical")
    table = sweep(base, {"activation": ["tanh", formula]}, "log2_rms", real=True)
    run = propagate(base.replace(activation=formula))
    assert table.median.tolist()[1] == pytest.approx(run.stats.log2_rms[-1], rel=1e-12)
    assert main(["--activation", formula, "--width", "32", "--depth", "4"]) == 0
    assert formula in capsys.readouterr().out


def test_swish_written_out_has_the_slope_and_the_gain_of_silu_also_where_exp_is_infinite():
    written, silu = activation_of("x/(1+exp(-x))"), ACTIVATIONS["silu"]
    x = torch.tensor([-1e6, -1e3, -700.0, -5.0, 0.0, 5.0, 700.0, 1e3, 1e6], dtype=torch.float64)
    assert torch.allclose(written.derivative(x), silu.derivative(x), rtol=1e-9, atol=1e-12)
    for name in ("mean", *MOMENTS):
        found, wanted = (getattr(moments, name)(phi, 4.0) for phi in (written, silu))
        assert found == pytest.approx(wanted, rel=1e-9)
    assert loses_parts_from(written, torch.float32) == pytest.approx(88.7, rel=0.1)  # ln max
    assert activation_of("x²").name == "x**2"
