"""PRESETS: layers that have a name, each as the fields that it sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..layer.branches import NORMS
from .experiment import DEFAULTS, PARAMETERS, Experiment

LAYER_FIELDS = ("branch", "expansion", "skip", "branch_scale", "norm", "norm_place")
"""The fields that say what a layer x → norm(skip(x) + α·branch(x)) is made of."""

COUNTS_WITH: dict[str, tuple[str, tuple[str, ...]]] = {
    "expansion": ("branch", ("mlp",)),
    "branch_scale": ("skip", ("identity",)),
    "norm_place": ("norm", tuple(name for name in NORMS if name != "none")),
}
"""Field -> the choice that it depends on, and the values of that choice with which it counts."""


def without_effect(texts: Mapping[str, str]) -> frozenset[str]:
    """The fields that change nothing beside these values of the others.

    Args:
        texts: field -> its text; a choice that is missing is left out of the account.
    """
    return frozenset(
        name
        for name, (choice, values) in COUNTS_WITH.items()
        if choice in texts and texts[choice] not in values
    )


@dataclass(frozen=True)
class Preset:
    """A layer with a name.

    Attributes:
        name: on its button.
        help: one sentence on what it is.
        changes: field -> its text, of the fields that it sets; LAYER_FIELDS that are not among them
            get their defaults.
    """

    name: str
    help: str
    changes: Mapping[str, str]

    @property
    def query(self) -> dict[str, str]:
        """Every field that the preset sets -> its text, as in a link."""
        return {name: str(DEFAULTS[name]) for name in LAYER_FIELDS} | dict(self.changes)

    def applied(self, experiment: Experiment) -> Experiment:
        """The experiment with the preset's fields, at its own width and depth."""
        return Experiment.from_query(experiment.to_query() | self.query)[0]

    def fits(self, experiment: Experiment) -> bool:
        """Whether the experiment is as the preset sets it, where a field has an effect."""
        wanted = self.applied(experiment)
        counting = PARAMETERS.keys() - without_effect(experiment.to_query())
        return all(getattr(wanted, name) == getattr(experiment, name) for name in counting)


def _preset(name: str, help: str, **changes: str) -> Preset:
    return Preset(name, help, changes)


PRESETS: dict[str, Preset] = {
    each.name: each
    for each in (
        _preset(
            "plain",
            "A product and φ, without skip and norm, as in the lesson. The activation, the "
            "initialiser and the scale factor stay as they are.",
        ),
        _preset(
            "ResNet",
            "ReLU and a product beside a skip: the std grows by √2 in each layer (He et al. 2016, "
            "without the batch norm).",
            branch="preactivation",
            skip="identity",
            init="kaiming_normal",
            scale="1",
            activation="relu",
            weights="fresh",
        ),
        _preset(
            "pre-norm",
            "The norm stands in front of the branch, and nothing stands in the way of the skip "
            "(Xiong et al. 2020).",
            branch="mlp",
            skip="identity",
            norm="layer",
            norm_place="before",
            init="xavier_normal",
            scale="1",
            activation="gelu",
            weights="fresh",
        ),
        _preset(
            "post-norm",
            "The norm stands behind the sum, as in the first Transformer (Vaswani et al. 2017).",
            branch="mlp",
            skip="identity",
            norm="layer",
            norm_place="after",
            init="xavier_normal",
            scale="1",
            activation="gelu",
            weights="fresh",
        ),
        _preset(
            "BatchNorm",
            "Batch norm without a skip holds the signal, but each layer enlarges the gradient "
            "(Yang et al. 2019).",
            norm="batch",
            norm_place="inside",
            init="kaiming_normal",
            scale="1",
            activation="relu",
            batch_size="64",
            weights="fresh",
        ),
        _preset(
            "GPT-2",
            "Pre-norm with weights of std 0.02; the branches are multiplied by 1/√(2L), for they "
            "add up (Radford et al. 2019).",
            branch="mlp",
            skip="identity",
            branch_scale="1/√(2L)",
            norm="layer",
            norm_place="before",
            init="normal",
            scale="0.02",
            activation="gelu",
            batch_size="8",
            weights="fresh",
        ),
        _preset(
            "ReZero",
            "Every branch begins with the factor α = 0: each layer is the identity until training "
            "moves α (Bachlechner et al. 2020).",
            branch="mlp",
            skip="identity",
            branch_scale="0",
            init="xavier_normal",
            scale="1",
            activation="relu",
            weights="fresh",
        ),
    )
}
"""Name -> preset, in the order of the buttons."""


def preset_of(experiment: Experiment) -> Preset | None:
    """The preset that an experiment is; the most particular one, or None."""
    fitting = [each for each in PRESETS.values() if each.fits(experiment)]
    return max(fitting, key=lambda each: len(each.changes), default=None)
