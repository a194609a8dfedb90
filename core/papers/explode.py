"""Claims on signals that explode, vanish or hold."""

from __future__ import annotations

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.propagate import Run
from ..theory.finite_width import predict
from .claim import Claim, Source, Verdict
from .measures import of_runs, over, statistic

_TOPIC = "Explode and vanish"
_LESSON = {
    "authors": "Howard",
    "year": 2019,
    "title": "Practical deep learning for coders, part 2",
    "where": "course.fast.ai",
}
_DELLINGER = Source(
    authors="Dellinger",
    year=2019,
    title="Weight initialization in neural networks: a journey from the basics to Kaiming",
    where="towardsdatascience.com",
    place="a run of its notebook",
)
_CS231N = {
    "authors": "Li, Karpathy & Johnson",
    "year": 2016,
    "title": "CS231n: convolutional neural networks for visual recognition, lecture 5",
    "where": "Stanford",
}
_TEN = Experiment(
    width=500, depth=10, init="normal", activation="tanh", weights="fresh", batch_size=1000
)
_ONE_SEED: Verdict = "agrees but for their sampling error"


def _nan_iteration(run: Run) -> float:
    found = run.events.first_nonfinite
    return np.nan if found is None else float(found)


def _expected_nan(experiment: Experiment) -> Array:
    chances = predict(experiment).overflow_pmf
    return np.array([sum(i * chance for i, chance in chances.items())])


def _typical_std(experiment: Experiment) -> Array:
    """The typical std of the last layer, whose logarithm is the mean of the logarithms."""
    return np.exp2([predict(experiment).log2_std_quantiles[0.5][-1]])


CLAIMS = (
    Claim(
        name="lesson-nan",
        topic=_TOPIC,
        title="100 products of N(0, 1) matrices end in NaN",
        source=Source(**_LESSON, place="lesson 8, notebook 02b"),
        asked="A vector of 512 numbers is multiplied 100 times by one matrix from N(0, 1).",
        found="The notebook's loop stops at iteration 28: the numbers are no longer finite.",
        seen="Each product multiplies the std by about 22.6; float32 ends at i = 27 or 28.",
        at=("iteration",),
        printed=("28",),
        experiment=Experiment(),
        measure=of_runs(_nan_iteration),
        exact=_expected_nan,
        drawn=1,
        networks=48,
        few=8,
    ),
    Claim(
        name="lesson-one-product",
        topic=_TOPIC,
        title="One product multiplies the rms by √512",
        source=Source(**_LESSON, place="lesson 8, notebook 02b"),
        asked="How large is a @ x, if both have numbers from N(0, 1)?",
        found="Its mean square is about n = 512, so that its size is about 22.63.",
        seen="The rms of one product scatters by 3 % around √512.",
        at=("rms",),
        printed=("22.63",),
        experiment=Experiment(depth=1),
        measure=statistic("rms", [1]),
        exact=lambda e: np.array([e.width**0.5]),
        width_error=2e-3,
        networks=400,
        few=40,
    ),
    Claim(
        name="dellinger-smooth",
        topic=_TOPIC,
        title="1/√n through 100 layers: linear, tanh",
        source=_DELLINGER,
        asked="What is left after 100 layers of 512 units with weights of std 1/√n?",
        found="The linear network keeps its std; tanh shrinks it to about a tenth.",
        seen="The linear network scatters; tanh's signal falls as 1/√k, by no constant factor.",
        at=("linear", "tanh"),
        printed=("1.281", "0.088"),
        experiment=Experiment(init="lecun_normal", weights="fresh", activation="tanh"),
        measure=over("activation", ["linear", "tanh"], statistic("std", [-1])),
        drawn=1,
        expected=_ONE_SEED,
        is_factor=True,
        networks=32,
        few=4,
    ),
    Claim(
        name="dellinger-relu",
        topic=_TOPIC,
        title="ReLU through 100 layers: 1/√n and √(2/n)",
        source=_DELLINGER,
        asked="The same with ReLU: what do 1/√n and Kaiming's √(2/n) leave?",
        found="With 1/√n almost nothing; with √(2/n) the std is about 1.",
        seen="ReLU halves the square at every layer: 1/√n loses a factor of 2⁵⁰.",
        at=("1/√n", "√(2/n)"),
        printed=("6.7e-16", "1.243"),
        experiment=Experiment(init="lecun_normal", weights="fresh", activation="relu"),
        measure=over("init", ["lecun_normal", "kaiming_normal"], statistic("std", [-1])),
        exact=lambda e: np.concatenate(
            [_typical_std(e.replace(init=init)) for init in ("lecun_normal", "kaiming_normal")]
        ),
        width_error=0.02,
        drawn=1,
        expected=_ONE_SEED,
        is_factor=True,
        networks=32,
        few=4,
    ),
    Claim(
        name="cs231n-small",
        topic=_TOPIC,
        title="Ten tanh layers with weights of 0.01",
        source=Source(**_CS231N, place="slides on weight initialisation"),
        asked="Ten layers of 500 tanh units, 1000 inputs, weights 0.01 · randn.",
        found="All activations become zero: the std falls from 0.21 to a millionth.",
        seen="Each layer multiplies the std by about 0.01·√500 = 0.224.",
        at=tuple(f"layer {k}" for k in range(1, 9)),
        printed=("0.213", "0.0476", "0.0106", "0.00238", "5.3e-4", "1.19e-4", "2.6e-5", "6e-6"),
        experiment=_TEN.replace(scale=0.01),
        measure=statistic("std", range(1, 9)),
        drawn=1,
        expected=_ONE_SEED,
        is_factor=True,
        networks=12,
        few=3,
    ),
    Claim(
        name="cs231n-large",
        topic=_TOPIC,
        title="Ten tanh layers with weights of 1",
        source=Source(**_CS231N, place="slides on weight initialisation"),
        asked="The same with weights from N(0, 1).",
        found="Almost all units are at −1 or 1: the std is 0.98 at every layer.",
        seen="The pre-activations have a std of 22, and tanh of them is almost a sign.",
        at=("layer 1", "layer 5", "layer 10"),
        printed=("0.982", "0.982", "0.982"),
        experiment=_TEN,
        measure=statistic("std", [1, 5, 10]),
        drawn=1,
        expected=_ONE_SEED,
        networks=12,
        few=3,
    ),
    Claim(
        name="cs231n-xavier",
        topic=_TOPIC,
        title="Ten tanh layers with Xavier's weights",
        source=Source(**_CS231N, place="slides on weight initialisation"),
        asked="The same with weights of std 1/√n.",
        found="The std falls slowly, from 0.63 to 0.23.",
        seen="The curve bends: it falls as 1/√k, by no constant factor.",
        at=("layer 1", "layer 10"),
        printed=("0.627", "0.229"),
        experiment=_TEN.replace(init="xavier_normal"),
        measure=statistic("std", [1, 10]),
        drawn=1,
        expected=_ONE_SEED,
        is_factor=True,
        networks=12,
        few=3,
    ),
    Claim(
        name="cs231n-relu",
        topic=_TOPIC,
        title="Xavier's weights break with ReLU",
        source=Source(**_CS231N, place="slides on weight initialisation"),
        asked="The same with ReLU and weights of std 1/√n.",
        found="The activations vanish again: 0.58 at the first layer, 0.026 at the tenth.",
        seen="ReLU halves the square at every layer.",
        at=("layer 1", "layer 10"),
        printed=("0.5823", "0.0261"),
        experiment=_TEN.replace(init="xavier_normal", activation="relu"),
        measure=statistic("std", [1, 10]),
        drawn=1,
        expected=_ONE_SEED,
        is_factor=True,
        networks=12,
        few=3,
    ),
)
