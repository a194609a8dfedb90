"""One run that answers for every scale factor, where mathematics allows it.

If φ(s·h) = s·φ(h) for every s > 0 and there is no bias, then x_k at scale s is sᵏ times x_k at
scale 1: log2 of every size shifts by k·log2 s. Each layer is kept with an exact power of two apart,
so that nothing overflows on the way. This is exact arithmetic up to the rounding of float64; a real
run rounds to its own number format, and where the two differ the real one is right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..host.limits import WorkLimit, chunk_layers
from ..host.threads import keep_freed_memory, single_threaded
from ..layer.activations import Activation
from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..statistics.layer_stats import LayerStats
from ..statistics.sums import joined, tally
from .propagate import draw_input, draw_layer

_CPU = torch.device("cpu")
_COARSE = 8  # bits: rounding to so few says more about a run than exact arithmetic does


@dataclass(frozen=True)
class ScaleFree:
    """Sizes at scale 1 as log2, float64 of shape (depth + 1,); add k·log2 s for scale s.

    Attributes:
        log2_std, log2_rms, log2_max_abs: of x at layer k; −inf for an exact zero.
        log2_reach: of the largest pre-activation on a side on which φ is unbounded: where it
            overflows, so does x. At layer 0 that of the input itself.
        log2_weight: of the largest weight of layer k; −inf at layer 0, which has none.
    """

    log2_std: Array
    log2_rms: Array
    log2_max_abs: Array
    log2_reach: Array
    log2_weight: Array


def is_scale_free(experiment: Experiment) -> bool:
    """Whether scales only shift the logarithms: φ homogeneous, no bias, a format finer than 8 bits.

    The formats of 8 bits round so coarsely, or saturate, that their runs are not like the exact.
    Weights that every layer fits to its data undo the scale of the layer before.
    """
    homogeneous = experiment.phi.positively_homogeneous and experiment.bias_std == 0
    refitted = experiment.rule.fit is not None and experiment.weights == "fresh"
    return homogeneous and not refitted and experiment.format.bits > _COARSE


def free_of_scale(experiment: Experiment) -> Experiment:
    """The experiment that stands for all that differ from it in scale and number format only."""
    return experiment.replace(scale=1.0, number_format="float64")


def scale_free(experiment: Experiment) -> ScaleFree:
    """The run of ``experiment`` at scale 1, in float64, beyond any number format's range.

    Scale factor and number format of the experiment play no part.

    Raises:
        ValueError: the experiment has a bias, or an activation or an initialiser with which scales
            do not separate.
        WorkLimitError: the run needs more memory or work than the host allows.
    """
    e = free_of_scale(experiment)
    if not is_scale_free(e):
        raise ValueError(
            "a run free of scale needs bias_std 0 and a positively homogeneous activation, "
            "and no layer that is fitted to what the one before made, "
            f"got {e.bias_std:g}, {e.activation} and {e.weights} {e.init}"
        )
    WorkLimit.from_environment().check(e)
    keep_freed_memory()
    with torch.inference_mode(), single_threaded():
        return _run(e)


def _unbounded(phi: Activation) -> tuple[bool, bool]:
    """Whether φ grows without bound below zero, and above."""
    below, above = phi(torch.tensor([-torch.inf, torch.inf])).isinf().tolist()
    return below, above


def _reach(h: Tensor, below: bool, above: bool) -> Tensor:
    """The largest |h| on the sides that count; 0 if there is none."""
    lowest, highest = h.aminmax()
    zero = torch.zeros_like(lowest)
    return torch.maximum(-lowest if below else zero, highest if above else zero).clamp_min(0)


def _unit(x: Tensor) -> tuple[Tensor, int]:
    """x·2^(−e) with its largest magnitude in [1/2, 1), and e; zeros stay as they are."""
    exponent = torch.frexp(x.abs().amax()).exponent
    return torch.ldexp(x, -exponent), int(exponent)


def _run(e: Experiment) -> ScaleFree:
    x = draw_input(e, _CPU)
    multiply = torch.mv if x.dim() == 1 else torch.mm
    below, above = _unbounded(e.phi)
    nothing = torch.zeros((), dtype=torch.float64)
    exponents, reaches, weights, heaviest = [0], [x.abs().amax()], [nothing], nothing
    waiting, tallies, rows = [x], [], chunk_layers(e)
    a: Tensor | None = None
    for layer in range(1, e.depth + 1):
        if a is None or e.weights == "fresh":
            a = None  # the old matrix goes before the new one comes
            a, _ = draw_layer(e, layer, _CPU, x)
            heaviest = a.abs().amax()
        weights.append(heaviest)
        h = multiply(a, x)
        reaches.append(_reach(h, below, above))
        x, exponent = _unit(e.phi(h))
        exponents.append(exponents[-1] + exponent)
        waiting.append(x)
        if len(waiting) > rows or layer == e.depth:
            tallies.append(tally(torch.stack(waiting), e.format))
            waiting = []
    stats = LayerStats.of(joined(tallies))
    apart = np.array(exponents, dtype=np.float64)  # layer k is what was measured times 2^apart[k]
    with np.errstate(divide="ignore"):
        return ScaleFree(
            log2_std=stats.log2_std + apart,
            log2_rms=stats.log2_rms + apart,
            log2_max_abs=np.log2(stats.max_abs) + apart,
            log2_reach=np.log2(torch.stack(reaches).numpy()) + np.concatenate([[0], apart[:-1]]),
            log2_weight=np.log2(torch.stack(weights).numpy()),
        )
