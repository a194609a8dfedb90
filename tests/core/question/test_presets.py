import pytest

from core import Experiment, backpropagate
from core.layer.norm import Norm
from core.question.experiment import DEFAULTS, PARAMETERS
from core.question.presets import (
    COUNTS_WITH,
    LAYER_FIELDS,
    PRESETS,
    preset_of,
    without_effect,
)

SMALL = Experiment(width=24, depth=6)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_preset_is_recognised_and_runs(preset):
    e = preset.applied(SMALL)
    assert preset_of(e) is preset
    assert (e.width, e.depth, e.seed) == (24, 6, 0)
    assert backpropagate(e).stats.std.shape == (7,)


@pytest.mark.parametrize("preset", PRESETS.values(), ids=list(PRESETS))
def test_a_preset_names_fields_and_values_that_are_there(preset):
    assert preset.query.keys() <= PARAMETERS.keys()
    assert Experiment.from_query(SMALL.to_query() | preset.query)[1] == []
    assert preset.help.endswith(".") and preset.help[0].isupper()


def test_plain_takes_back_every_part_of_a_layer_and_nothing_else():
    for preset in PRESETS.values():
        before = preset.applied(SMALL)
        plain = PRESETS["plain"].applied(before)
        assert plain.layer.is_plain
        for name in PARAMETERS:
            wanted = DEFAULTS[name] if name in LAYER_FIELDS else getattr(before, name)
            assert getattr(plain, name) == wanted, name


def test_a_preset_comes_after_another_as_if_there_had_been_none():
    after = {name: PRESETS["GPT-2"].applied(each.applied(SMALL)) for name, each in PRESETS.items()}
    assert len(set(after.values())) == 1


def test_the_factor_of_gpt_2_follows_the_depth():
    gpt2 = PRESETS["GPT-2"]
    for depth in (1, 50, 100):
        assert gpt2.applied(Experiment(depth=depth)).branch_scale == (1 / (2 * depth)) ** 0.5


def test_a_field_without_effect_does_not_hide_a_preset():
    e = PRESETS["BatchNorm"].applied(SMALL)
    assert preset_of(e.replace(branch_scale=0.3, expansion=2)) is PRESETS["BatchNorm"]
    assert preset_of(e.replace(norm_place="after")) is None


def operations(e):
    """The operations of a layer; two batch norms of different batch sizes are different."""
    skip = e.layer.skip
    leaves = [op for op in e.layer.leaves if not isinstance(op, Norm)]
    return leaves, e.layer.norm, skip and skip.factor, len(e.layer)


@pytest.mark.parametrize("name", COUNTS_WITH)
def test_a_field_without_effect_changes_no_operation(name):
    choice, values = COUNTS_WITH[name]
    changed = {"expansion": 2, "branch_scale": 0.5, "norm_place": "inside"}[name]
    for value in PARAMETERS[choice].choices:
        e = Experiment(width=8, batch_size=2, activation="relu", **{choice: value})
        other = e.replace(**{name: changed})
        has_effect = [type(op) for op in e.layer.leaves] != [type(op) for op in other.layer.leaves]
        has_effect |= operations(e) != operations(other)
        assert (name in without_effect(e.to_query())) == (value not in values) == (not has_effect)


def test_a_choice_that_is_not_told_leaves_every_field_its_effect():
    assert without_effect({}) == frozenset()
