"""Claims of a lecture of CS231n: ten layers of 500 units, 1000 inputs.

Here 200 inputs go through. From the second layer on what scatters is above all the weights; at the
first layer one network of 1000 inputs scatters by about half as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..question.experiment import Experiment
from .claim import Claim, Source
from .exacts import wide_std
from .measures import statistic

_READ = Source(
    authors="Li, Johnson & Yeung",
    year=2017,
    title="CS231n: convolutional neural networks for visual recognition, lecture 6",
    where="Stanford",
    place="slides on weight initialisation, the printed std",
)
_QUOTED = replace(_READ, read="as commonly quoted")
_TEN = Experiment(
    width=500, depth=10, init="xavier_normal", activation="tanh", weights="fresh", batch_size=200
)


def _std(layers: Sequence[int], printed: tuple[str, ...], **told: Any) -> Claim:
    """The std of a network of one draw at some layers; the rest as of Claim."""
    return Claim(
        topic="Explode and vanish",
        at=tuple(f"layer {k}" for k in layers),
        printed=printed,
        measure=statistic("std", layers),
        exact=wide_std(layers),
        drawn=1,
        is_factor=True,
        networks=12,
        few=5,
        **told,
    )


CLAIMS = (
    _std(
        range(1, 9),
        (
            *("0.213081", "0.047551", "0.010630", "0.002378"),
            *("0.000532", "0.000119", "0.000026", "0.000006"),
        ),
        name="cs231n-small",
        title="Ten tanh layers with weights of 0.01",
        source=_READ,
        asked="Ten layers of 500 tanh units, 1000 inputs, weights 0.01 · randn.",
        found="All activations become zero: the std falls from 0.21 to a millionth.",
        seen="Each layer multiplies the std by about 0.01·√500 = 0.224.",
        experiment=_TEN.replace(init="normal", scale=0.01),
    ),
    _std(
        [1, 5, 10],
        ("0.982", "0.982", "0.982"),
        name="cs231n-large",
        title="Ten tanh layers with weights of 1",
        source=_QUOTED,
        asked="Ten layers of 500 tanh units, 1000 inputs, weights from N(0, 1).",
        found="Almost all units are at −1 or 1: the std is 0.98 at every layer.",
        seen="The std is 0.98 at every layer: nearly all numbers are −1 or 1.",
        experiment=_TEN.replace(init="normal"),
    ),
    _std(
        [1, 10],
        ("0.627953", "0.228008"),
        name="cs231n-xavier",
        title="Ten tanh layers with Xavier's weights",
        source=_QUOTED,
        asked="Ten layers of 500 tanh units, 1000 inputs, weights of std 1/√n.",
        found="The std falls slowly, from 0.63 to 0.23.",
        seen="The curve bends: the std falls ever more slowly, by no constant factor.",
        experiment=_TEN,
    ),
    _std(
        [1, 10],
        ("0.5823", "0.0261"),
        name="cs231n-relu",
        title="Xavier's weights break with ReLU",
        source=_QUOTED,
        asked="Ten layers of 500 ReLU units, 1000 inputs, weights of std 1/√n.",
        found="The activations vanish again: 0.58 at the first layer, 0.026 at the tenth.",
        seen="ReLU halves the square at every layer.",
        experiment=_TEN.replace(activation="relu"),
    ),
    _std(
        [1, 4, 10],
        ("0.825232", "0.826902", "0.844523"),
        name="cs231n-he",
        title="√(2/n) mends ReLU",
        source=_READ,
        asked="Ten layers of 500 ReLU units, 1000 inputs, weights of std √(2/n).",
        found="In their run the std stays between 0.81 and 0.89 at all ten layers.",
        seen="The std wanders around √(1 − 1/π) = 0.826, and every seed has a way of its own.",
        experiment=_TEN.replace(activation="relu", init="kaiming_normal"),
    ),
)
