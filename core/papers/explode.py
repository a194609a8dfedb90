"""Claims on signals that explode, vanish or hold, from a lesson and an article."""

from __future__ import annotations

import numpy as np

from ..maps.landscape import Landscape
from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.propagate import Run
from ..sweep.axes import parse
from ..theory.finite_width import predict
from .claim import Claim, Source
from .combined import over
from .exacts import constant, typical_std
from .measures import of_ensemble, of_runs, size, statistic

_TOPIC = "Explode and vanish"
_LESSON = Source(
    authors="Howard",
    year=2019,
    title="Practical deep learning for coders, part 2",
    where="course.fast.ai",
    place="lesson 9, notebook 02b",
)
_DELLINGER = Source(
    authors="Dellinger",
    year=2019,
    title="Weight initialization in neural networks: a journey from the basics to Kaiming",
    where="towardsdatascience.com",
    place="a public run of its notebook by a reader",
)
_HE = Source(
    authors="He et al.",
    year=2015,
    title="Delving deep into rectifiers",
    where="arXiv:1502.01852",
    place="section 2.2, the comparison with Xavier: 1/√2 per layer",
    read="as commonly quoted",
    computed="from its formula",
)
_BOOK = Source(
    authors="Howard & Gugger",
    year=2020,
    title="Deep learning for coders with fastai and PyTorch",
    where="github.com/fastai/fastbook",
    place="chapter 17, outputs of the cells on initialisation",
)
_FASTBOOK = Experiment(width=100, depth=50, scale=0.1, weights="fresh", batch_size=200)
_DEEP = Experiment(init="lecun_normal", weights="fresh")
_SMOOTH = [{"activation": name} for name in ("linear", "tanh")]
_WHERE_NAN = Landscape(
    Experiment(), parse("scale=0.1..10:24"), parse("width=16..1024:24"), "first_nonfinite", 16
)
_RULES = [{"init": name} for name in ("lecun_normal", "kaiming_normal")]
_RELU = np.array([np.pi**-0.5, (1 - 1 / np.pi) ** 0.5])  # mean and std of √2·ReLU(z), z ~ N(0, 1)


def _nan_iteration(run: Run) -> float:
    found = run.events.first_nonfinite
    return np.nan if found is None else float(found)


def _expected_nan(experiment: Experiment) -> Array:
    chances = predict(experiment).overflow_pmf
    return np.array([sum(i * chance for i, chance in chances.items())])


CLAIMS = (
    Claim(
        name="lesson-nan",
        topic=_TOPIC,
        title="100 products of N(0, 1) matrices end in NaN",
        source=_LESSON,
        asked="A vector of 512 numbers is multiplied 100 times by one matrix from N(0, 1).",
        found="The notebook's loop stops at iteration 28: the numbers are no longer finite.",
        seen="Each product multiplies the std by about 22; float32 ends at i = 27 or 28.",
        at=("iteration",),
        printed=("28",),
        experiment=Experiment(),
        measure=of_runs(_nan_iteration),
        exact=_expected_nan,
        landscape=_WHERE_NAN,
        drawn=1,
        networks=48,
        few=8,
    ),
    Claim(
        name="lesson-one-product",
        topic=_TOPIC,
        title="One product multiplies the rms by √512",
        source=_LESSON,
        asked="How large is a @ x, if both have numbers from N(0, 1)?",
        found="Its mean square is about n = 512, so that its size is about 22.63.",
        seen="The rms after one product is near √512 = 22.63, and scatters by 4 % over seeds.",
        at=("rms",),
        printed=("22.63",),
        experiment=Experiment(depth=1, weights="fresh"),
        measure=size("rms", [1]),
        exact=constant(512**0.5),
        networks=400,
        few=100,
    ),
    Claim(
        name="fastbook-fifty",
        topic=_TOPIC,
        title="200 inputs through 50 products of 0.1 · randn(100, 100)",
        source=_BOOK,
        asked="Matrices of 0.1 · randn are right for 100 numbers. Is the scale still 1 after 50?",
        found="The std is 0.70: neither zero nor NaN.",
        seen="The std wanders within a factor of about 2, and neither explodes nor vanishes.",
        at=("std",),
        printed=("0.7042",),
        experiment=_FASTBOOK,
        measure=statistic("std", [-1]),
        drawn=1,
        is_factor=True,
        networks=40,
        few=8,
    ),
    Claim(
        name="fastbook-one-relu",
        topic=_TOPIC,
        title="One layer of ReLU with 1/√n and √(2/n)",
        source=_BOOK,
        asked="What mean and std does a ReLU leave of 200 inputs from N(0, 1)?",
        found="With 1/√n the std goes down to 0.58; with √(2/n) it is 0.83, and the mean 0.57.",
        seen="The std is about 0.83 after one layer, and the mean about 0.56.",
        at=("mean, 1/√n", "std, 1/√n", "mean, √(2/n)", "std, √(2/n)"),
        printed=("0.3961", "0.5783", "0.5661", "0.8339"),
        experiment=_FASTBOOK.replace(depth=1, scale=1.0, init="kaiming_normal", activation="relu"),
        measure=over(of_runs(lambda run: [run.stats.mean[1], run.stats.std[1]]), _RULES),
        exact=constant(*(np.sqrt([[0.5], [1.0]]) * _RELU).ravel()),
        drawn=1,
        networks=40,
        few=8,
    ),
    Claim(
        name="dellinger-one-relu",
        topic=_TOPIC,
        title="One product and a ReLU",
        source=_DELLINGER,
        asked="How large is ReLU(a @ x), if both have numbers from N(0, 1)?",
        found="Its mean is 9.01, and its size is 15.99, near √(512/2).",
        seen="With the rms shown, x is near 16 instead of 22.6; the std alone is about 13.",
        at=("mean", "rms"),
        printed=("9.01", "15.99"),
        experiment=Experiment(depth=1, weights="fresh", activation="relu"),
        measure=of_ensemble(
            lambda many: np.stack([many.mean[:, 1], np.exp2(many.log2_rms[:, 1])], axis=1)
        ),
        exact=constant((512 / (2 * np.pi)) ** 0.5, 16.0),
        drawn=1,
        networks=400,
        few=100,
    ),
    Claim(
        name="dellinger-smooth",
        topic=_TOPIC,
        title="1/√n through 100 layers: linear, tanh",
        source=_DELLINGER,
        asked="What is left after 100 layers of 512 units with weights of std 1/√n?",
        found="The linear network keeps its std; tanh shrinks it to about a tenth.",
        seen="The signal of tanh falls along a curve that bends, by no constant factor.",
        at=("linear", "tanh"),
        printed=("1.281", "0.088"),
        experiment=_DEEP.replace(activation="tanh"),
        measure=over(size("std", [-1]), _SMOOTH),
        exact=over(typical_std([-1]), _SMOOTH),
        drawn=1,
        is_factor=True,
        networks=200,
        few=16,
    ),
    Claim(
        name="dellinger-relu",
        topic=_TOPIC,
        title="ReLU through 100 layers: 1/√n and √(2/n)",
        source=_DELLINGER,
        asked="What is left after 100 ReLU layers of 512 units with 1/√n, and with √(2/n)?",
        found="With 1/√n almost nothing; with √(2/n) the std is about 1.",
        seen="ReLU halves the square at every layer: with 1/√n a factor of about 2⁵⁰ is lost.",
        at=("1/√n", "√(2/n)"),
        printed=("6.7e-16", "1.243"),
        experiment=_DEEP.replace(activation="relu"),
        measure=over(size("std", [-1]), _RULES),
        exact=over(typical_std([-1]), _RULES),
        drawn=1,
        is_factor=True,
        networks=200,
        few=16,
    ),
    Claim(
        name="he-xavier-relu",
        topic=_TOPIC,
        title="Xavier's weights through 30 layers of ReLU",
        source=_HE,
        asked="Xavier's rule does not know that ReLU halves the square. What is left of 30 layers?",
        found="The mean square is halved at every layer, and divided by 2³⁰ in all.",
        seen="The rms falls in a straight line on the log axis, by about √2 at every layer.",
        at=("mean square",),
        printed=("9.31e-10",),
        experiment=_DEEP.replace(activation="relu", depth=30, init="xavier_normal"),
        measure=of_ensemble(lambda many: np.exp2(2 * (many.log2_rms[:, -1] - many.log2_rms[:, 0]))),
        exact=lambda e: np.array([2.0**-e.depth]),
        networks=2000,
        few=200,
    ),
)
