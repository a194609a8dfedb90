"""``python -m tests.bench.calibration``: how often networks fall into the bands that we predict.

Every network is of another width, depth and initialiser, and asked once: is its last log2 rms
between the quantiles of ``predict``? Coverage is the fraction that is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core import ACTIVATIONS, Experiment
from core.finite_width import predict

BANDS = {0.5: (0.25, 0.75), 0.9: (0.05, 0.95)}
"""Nominal coverage -> the two levels."""

WIDTHS = (32, 48, 64, 96, 128, 192, 256, 384, 512)
DEPTHS = (5, 8, 12, 18, 25, 36, 50, 60)
GAUSSIAN = ("normal", "lecun_normal", "xavier_normal", "kaiming_normal", "critical")
UNIFORM = ("uniform", "xavier_uniform", "kaiming_uniform", "torch_linear", "truncated_normal")


@dataclass(frozen=True)
class Family:
    """Experiments of one kind.

    Attributes:
        fixed: the fields that all share.
        inits: initialisers to choose from.
        biases: bias stds to choose from.
        sigma_w: the range of weight_std·√n, by way of the scale factor; None leaves it at 1.
        widest: the largest width.
    """

    fixed: dict[str, Any]
    inits: tuple[str, ...] = GAUSSIAN
    biases: tuple[float, ...] = (0.0,)
    sigma_w: tuple[float, float] = (0.8, 2.5)
    widest: int = WIDTHS[-1]

    def draw(self, rng: np.random.Generator) -> Experiment:
        """One of them, for which a law is known."""
        while True:
            e = Experiment(
                width=int(rng.choice([n for n in WIDTHS if n <= self.widest])),
                depth=int(rng.choice(DEPTHS)),
                init=str(rng.choice(self.inits)),
                bias_std=float(rng.choice(self.biases)),
                **self.fixed,
            )
            e = e.replace(scale=rng.uniform(*self.sigma_w) / e.sigma_w)
            if predict(e).known:
                return e


def _fresh(*names: str, **others: Any) -> Family:
    return Family({"weights": "fresh", "activation": names[0]}, **others)


_BIASES = (0.05, 0.3, 1.0)
_SMOOTH = [name for name, phi in ACTIVATIONS.items() if not phi.positively_homogeneous]

FAMILIES: dict[str, Family] = {
    "tied linear": Family({"weights": "tied"}),
    "tied linear, not Gaussian": Family({"weights": "tied"}, inits=UNIFORM),
}
