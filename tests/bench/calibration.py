"""``python -m tests.bench.calibration``: how often networks fall into the bands that we predict.

Every network is of another width, depth and initialiser, and asked once: is its last log2 rms (or
its last log2 std, or log2 rms of the gradient at its input) between the quantiles of ``predict``?
Coverage is the fraction that is. In parentheses: how many standard errors lie between it and the
nominal one. It measures and never judges.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np

from core import ACTIVATIONS, Experiment, backpropagate
from core.theory.finite_width import Prediction, predict

BANDS = {0.5: (0.25, 0.75), 0.9: (0.05, 0.95)}
"""Nominal coverage -> the two levels."""

STATISTICS = ("log2_rms", "log2_std", "log2_gradient_rms")
WIDTHS = (32, 48, 64, 96, 128, 192, 256, 384, 512)
DEPTHS = (5, 8, 12, 18, 25, 36, 50, 60)
GAUSSIAN = ("normal", "lecun_normal", "xavier_normal", "kaiming_normal", "critical")
UNIFORM = ("uniform", "xavier_uniform", "kaiming_uniform", "torch_linear", "truncated_normal")
_SEEDS = 2**40


@dataclass(frozen=True)
class Family:
    """Experiments of one kind.

    Attributes:
        weights: tied or fresh.
        activations: to choose from.
        inits: to choose from.
        biases: bias stds to choose from.
        sigma_w: the range of weight_std·√n, by way of the scale factor.
        widest: the largest width.
    """

    weights: str
    activations: tuple[str, ...] = ("linear",)
    inits: tuple[str, ...] = GAUSSIAN
    biases: tuple[float, ...] = (0.0,)
    sigma_w: tuple[float, float] = (0.8, 2.5)
    widest: int = WIDTHS[-1]

    def draw(self, rng: np.random.Generator) -> tuple[Experiment, Prediction]:
        """One for which both laws are known, and whose numbers stay in range; and the law."""
        while True:
            e = Experiment(
                width=int(rng.choice([n for n in WIDTHS if n <= self.widest])),
                depth=int(rng.choice(DEPTHS)),
                init=str(rng.choice(self.inits)),
                activation=str(rng.choice(self.activations)),
                weights=self.weights,
                bias_std=float(rng.choice(self.biases)),
                number_format="float64",
                seed=int(rng.integers(_SEEDS)),
            )
            e = e.replace(scale=rng.uniform(*self.sigma_w) / e.sigma_w)
            law = predict(e)
            known = law.known and law.gradient_known
            if known and not law.overflow_pmf and not law.all_zero_pmf:
                return e, law


_BENT = ("relu", "leaky_relu", "abs")
_SMOOTH = tuple(name for name, phi in ACTIVATIONS.items() if not phi.positively_homogeneous)
_BIASES = (0.05, 0.3, 1.0)

FAMILIES: dict[str, Family] = {
    "tied linear": Family("tied"),
    "tied linear, not Gaussian": Family("tied", inits=UNIFORM),
    "tied orthogonal": Family("tied", inits=("orthogonal",), widest=192),
    "fresh linear": Family("fresh"),
    "fresh linear, not Gaussian": Family("fresh", inits=UNIFORM),
    "fresh ReLU, leaky ReLU, abs": Family("fresh", _BENT),
    "fresh ReLU …, not Gaussian": Family("fresh", _BENT, UNIFORM),
    "fresh orthogonal linear": Family("fresh", inits=("orthogonal",), widest=96),
    "fresh orthogonal ReLU …": Family("fresh", _BENT, ("orthogonal",), widest=96),
    "fresh orthogonal, other φ": Family("fresh", _SMOOTH, ("orthogonal",), widest=96),
    "fresh, other φ": Family("fresh", _SMOOTH),
    "fresh, other φ, not Gaussian": Family("fresh", _SMOOTH, UNIFORM),
    "fresh, any φ with bias": Family("fresh", tuple(ACTIVATIONS), biases=_BIASES),
}
"""What is asked -> the experiments that ask it."""


def covered(family: Family, count: int, rng: np.random.Generator) -> dict[tuple[str, float], int]:
    """(statistic, nominal coverage) -> in how many of so many runs the band held it."""
    inside = {(statistic, nominal): 0 for statistic in STATISTICS for nominal in BANDS}
    for _ in range(count):
        e, law = family.draw(rng)
        back = backpropagate(e)
        stats = back.run.stats
        found = {
            "log2_rms": (stats.log2_rms[-1], -1),
            "log2_std": (stats.log2_std[-1], -1),
            "log2_gradient_rms": (back.stats.log2_rms[0], 0),
        }
        for statistic, nominal in inside:
            value, layer = found[statistic]
            quantiles = getattr(law, f"{statistic}_quantiles")
            low, high = (quantiles[level][layer] for level in BANDS[nominal])
            inside[statistic, nominal] += bool(low <= value <= high)
    return inside


def standard_errors(inside: int, count: int, nominal: float) -> float:
    """How many of the binomial's standard errors lie between the coverage and the nominal one."""
    return float((inside / count - nominal) / (nominal * (1 - nominal) / count) ** 0.5)


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(prog="python -m tests.bench.calibration")
    arguments.add_argument("--number", type=int, default=300, help="experiments per family")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--family", default="", help="only those whose name holds this")
    given = arguments.parse_args()
    columns = [(statistic, nominal) for statistic in STATISTICS for nominal in BANDS]
    heads = "".join(f"{f'{statistic} {nominal:.0%}':>24}" for statistic, nominal in columns)
    print(f"{'':30}{'runs':>6}{heads}{'seconds':>9}")
    for place, (name, family) in enumerate(FAMILIES.items()):
        if given.family not in name:
            continue
        start = time.perf_counter()
        inside = covered(family, given.number, np.random.default_rng([given.seed, place]))
        cells = "".join(
            f"{inside[column] / given.number:>17.1%}"
            f"{f'({standard_errors(inside[column], given.number, column[1]):+.1f})':>7}"
            for column in columns
        )
        seconds = time.perf_counter() - start
        print(f"{name:30}{given.number:>6}{cells}{seconds:>9.0f}", flush=True)


if __name__ == "__main__":
    main()
