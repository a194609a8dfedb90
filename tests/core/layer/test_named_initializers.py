"""Initialisers by a name with a number: spelling, refusals, and where they are legal."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from core import ACTIVATIONS, INITIALIZERS, Experiment, backpropagate, to_script
from core.layer.named_initializer import FAMILIES, initializer_of
from core.question import link
from core.question.experiment import PARAMETERS
from core.question.parameter import refusals
from core.sweep import parse, sweep

NAMES = ["torch_trunc_normal(0.02)", "sparse(kept=0.5)"]
RELU = ACTIVATIONS["relu"]


@pytest.mark.parametrize(
    "text, name",
    [
        ("trunc_normal_(std=0.02)", "torch_trunc_normal(0.02)"),
        ("nn.init.trunc_normal_(0.02)", "torch_trunc_normal(0.02)"),
        ("torch_trunc_normal(1.0)", "torch_trunc_normal"),
        ("torch_trunc_normal( 2e-2 )", "torch_trunc_normal(0.02)"),
        ("sparse(0.9)", "sparse(kept=0.9)"),
        ("Sparse(kept = 0.1)", "sparse"),
        ("trunc_normal_", "torch_trunc_normal"),
        ("trunc_normal_tf_", "keras_truncated_normal"),
        ("jax_he_normal", "keras_he_normal"),
    ],
)
def test_other_spellings_are_taken_and_told(text, name):
    e, problems = Experiment.from_query({"init": text})
    assert e.init == name and refusals(problems) == []
    assert problems in ([], [f"init {text!r} is called {name} here"])
    if "(" in text:  # in Python, names of other libraries are not taken
        assert Experiment(init=text).init == name


@pytest.mark.parametrize(
    "text, reason",
    [
        ("torch_trunc_normal(0)", "std of torch_trunc_normal must be from 1e-06 to 100, got 0"),
        ("torch_trunc_normal(-1)", "must be from 1e-06 to 100, got -1"),
        ("torch_trunc_normal(1e9)", "must be from 1e-06 to 100"),
        ("torch_trunc_normal(a=2)", "the number of torch_trunc_normal is called std"),
        ("sparse(1.5)", "kept of sparse must be from 1e-06 to 1, got 1.5"),
        (
            "sparse(sparsity=0.9)",
            "is called kept, the share that is not zero; torch's sparsity is 1 − kept",
        ),
        ("orthogonal(2)", "orthogonal has no number in brackets; torch_trunc_normal, sparse have"),
        ("sparse(0.5", ""),
        ("sparse()", ""),
        ("sparse(nan)", ""),
        ("x*2", ""),
    ],
)
def test_a_text_that_is_not_accepted_says_why(text, reason):
    with pytest.raises(ValueError, match="init must be") as error:
        Experiment(init=text)
    assert reason in str(error.value) and "a name with a number such as" in str(error.value)
    e, problems = Experiment.from_query({"init": text, "width": "7"})
    assert e == Experiment(width=7) and len(problems) == 1
    assert reason in problems[0] and problems[0].endswith("normal is used")


@pytest.mark.parametrize("name", NAMES)
def test_a_link_a_pin_an_axis_a_script_and_a_sweep_hold_such_a_name(name):
    e = Experiment(width=64, depth=5, init=name, activation="relu", batch_size=2, scale=0.5)
    assert Experiment.from_query(e.to_query()) == (e, [])
    assert link.from_text(link.to_text(e)) == (e, [])
    axis = parse(f"init=normal,{name},lsuv_bias")
    assert axis.values == ("normal", name, "lsuv_bias")
    assert parse(axis.to_text()) == axis
    space: dict = {}
    exec(to_script(e, backward=True), space)
    back = backpropagate(e)
    assert np.array_equal(space["x"].numpy(), back.run.final)
    assert np.array_equal(space["g"].numpy(), back.final)
    found = sweep(e.replace(batch_size=1), {"init": axis.values}, "log2_rms").median
    assert found.shape == (3,) and np.isfinite(found).all()


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_the_members_of_a_family(family):
    assert family.member(family.usual) is INITIALIZERS[family.name]
    for value in (family.minimum, family.maximum, 0.5):
        member = family.member(value)
        assert initializer_of(member.name).name == member.name
        assert Experiment(init=member.name).init == member.name
        assert member.label != INITIALIZERS[family.name].label
        assert f"{value:g}".rstrip("0") in member.formula or member.name == family.name
    assert initializer_of(f"{family.name}(0.5)") is initializer_of(f"{family.name}(0.5)")


def test_the_description_names_them():
    told = PARAMETERS["init"].allowed + PARAMETERS["init"].help
    for word in ("torch_trunc_normal(0.02)", "sparse(kept=0.5)", "lsuv_bias", "not zero"):
        assert word in told


SHARES = [(0.9, 400), (0.71, 100), (0.5, 7), (0.25, 33), (0.99, 150), (0.6, 10), (0.125, 64)]


@pytest.mark.parametrize("sparsity, rows", SHARES)
def test_sparse_leaves_as_many_zeros_in_a_column_as_torch(sparsity, rows):
    """torch rounds the number of zeros up: ⌈sparsity·rows⌉ in every column."""
    kept = Fraction(1) - Fraction(str(sparsity))
    zeros = math.ceil(Fraction(str(sparsity)) * rows)
    theirs = torch.nn.init.sparse_(torch.empty(rows, 20), sparsity=sparsity)
    rule = initializer_of(f"sparse({float(kept)})")
    ours = rule.sample(20, rows, RELU, generator=torch.Generator().manual_seed(0))
    assert set((theirs == 0).sum(0).tolist()) == {zeros}
    assert set((ours == 0).sum(0).tolist()) == {zeros}
    # Another std: torch's default is 0.01, ours keeps that of N(0, 1/fan_in) over all entries.
    assert float(theirs[theirs != 0].std()) == pytest.approx(0.01, rel=0.5)
    count = int((ours != 0).sum())
    # The rms of that many normal numbers is off by 1/√(2·count) of itself; five of those.
    error = 5 / math.sqrt(2 * count)
    assert float(ours.square().mean().sqrt()) == pytest.approx(math.sqrt(1 / 20), rel=error)


def test_all_kept_is_a_matrix_without_zeros_and_the_plain_rule_keeps_its_bits():
    full, plain = initializer_of("sparse(1)"), INITIALIZERS["sparse"]
    assert not full.has_zero_rows and plain.has_zero_rows
    w = full.sample(50, 50, RELU, generator=torch.Generator().manual_seed(0))
    assert (w != 0).all()
    assert "kept = max(1, int(0.1 * {fan_out}))" in plain.code
    assert initializer_of("sparse(0.1)") is plain


@pytest.mark.parametrize(
    "name", [*NAMES, "torch_trunc_normal(3)", "sparse(kept=0.29)", "sparse(kept=1)"]
)
def test_the_code_of_a_member_draws_the_same_bits(name):
    for n, m in ((1, 1), (7, 7), (100, 100), (7, 28), (28, 7)):
        space = {"torch": torch, "n": n, "m": m, "generator": torch.Generator().manual_seed(1)}
        exec("\n".join(initializer_of(name).lines("a", "m", "n", RELU.gain, wide=m < n)), space)
        ours = initializer_of(name).sample(n, m, RELU, generator=torch.Generator().manual_seed(1))
        assert torch.equal(space["a"], ours)


@pytest.mark.parametrize("alias, keras", [("he_normal", "keras_he_normal"), ("GlorotNormal", "")])
def test_the_note_on_a_name_of_keras_says_which_law_is_meant(alias, keras):
    keras = keras or "keras_glorot_normal"
    e, (note,) = Experiment.from_query({"init": alias})
    assert note.endswith(f"here; the law of Keras and JAX, cut at two std, is {keras}")
    # What a link of old shows is not cut, as the note implies; the other law has the same std.
    drawn = e.rule.sample(300, 300, RELU, generator=torch.Generator().manual_seed(0))
    assert float(drawn.abs().max()) > 3 * e.rule.weight_std(300, 300, RELU)
    other = INITIALIZERS[keras]
    cut = other.sample(300, 300, RELU, generator=torch.Generator().manual_seed(0))
    std = other.weight_std(300, 300, RELU)
    assert std == pytest.approx(e.rule.weight_std(300, 300, RELU), rel=1e-15)
    assert float(cut.abs().max()) < 2.28 * std
