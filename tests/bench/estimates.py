"""How near the host's estimates of work come to the processor time that it takes.

``python -m tests.bench.estimates`` draws random pieces of work of each kind, and prints how the
estimate compares with what was measured.
"""

from __future__ import annotations

import random
import sys
import time
import warnings
from collections.abc import Callable, Iterator

import numpy as np

from core import (
    ACTIVATIONS,
    INITIALIZERS,
    NUMBER_FORMATS,
    Experiment,
    backpropagate,
    predict,
    propagate,
    sample_ensemble,
)
from core.host.limits import backward_cost, cost, ensemble_work
from core.host.threads import single_threaded
from core.layer.operation import MICROSECOND
from core.lesson import STEPS
from core.maps import borders
from core.maps.fitting import work as work_of_map
from core.maps.landscape import Landscape
from core.simulation.scale_free import (
    is_scale_free,
    scale_free,
    scale_free_gradient,
    scale_free_work,
)
from core.sweep import parse
from core.sweep.coordinate_check import MEASURE, checked
from core.sweep.measures import MEASURES
from core.theory import block_law, fixed_points, homogeneous_law, known_law, windows
from core.theory.markov_law import table
from core.theory.work import prediction_work

_LONGEST = 0.3e6 * MICROSECOND  # a piece takes 0.3 s at most
_PIECES = 300
_SEED = 7
_BATCHES = (1, 1, 1, 2, 3, 8, 64)
_AXES = (
    "scale=0.05..2:4",
    "sigma_w=0.5..4:5",
    "width=3..100:4",
    "depth=1..60:3",
    "bias_std=0..1:3",
    "activation=relu,tanh,hardtanh",
    "init=normal,orthogonal,sparse",
    "number_format=float32,float8_e4m3fn",
    "batch_size=1,4",
    "seed=1,2,3",
)
_CACHES = (
    known_law._chain,
    known_law._chain_back,
    homogeneous_law.homogeneous_law,
    block_law._sampled,
    fixed_points._kept,
    windows._windows,
    borders._held,
)

Piece = tuple[float, Callable[[], object]]


def _experiment(draw: random.Random, widest: float = 10.5, deepest: float = 10.96) -> Experiment:
    return Experiment(
        width=round(2 ** draw.uniform(0, widest)),
        depth=round(2 ** draw.uniform(0, deepest)),
        init=draw.choice(list(INITIALIZERS)),
        activation=draw.choice(list(ACTIVATIONS)),
        weights=draw.choice(["tied", "fresh"]),
        bias_std=draw.choice([0.0, 0.1]),
        number_format=draw.choice(list(NUMBER_FORMATS)),
        batch_size=draw.choice(_BATCHES),
        scale=draw.choice([1.0, 0.05, 5.0, draw.uniform(0.9, 1.1)]),
    )


def _run(draw: random.Random) -> Piece:
    e = _experiment(draw)
    return cost(e).multiply_adds, lambda: propagate(e)


def _ensemble(draw: random.Random) -> Piece:
    e, size = _experiment(draw), draw.choice([1, 16, 64, 256])
    return ensemble_work(e, size), lambda: sample_ensemble(e, size)


def _backward(draw: random.Random) -> Piece:
    e = _experiment(draw)
    return backward_cost(e).multiply_adds, lambda: backpropagate(e)


def _gradients(draw: random.Random) -> Piece:
    e, size = _experiment(draw), draw.choice([1, 16, 64, 256])
    work = ensemble_work(e, size, backward=True)
    return work, lambda: sample_ensemble(e, size, backward=True)


def _scale_free(draw: random.Random) -> Piece | None:
    e, back = _experiment(draw).replace(bias_std=0.0), draw.random() < 0.5
    if not is_scale_free(e):
        return None
    compute = scale_free_gradient if back else scale_free
    return scale_free_work(e, backward=back), lambda: compute(e)


def _prediction(draw: random.Random) -> Piece | None:
    e = _experiment(draw).replace(batch_size=draw.choice([1, 1, 1, 1, 64]))
    if known_law.known_law(e).law is None and draw.random() < 0.9:
        return None  # there is little to predict: nine of ten are left out
    return prediction_work(e), lambda: predict(e)


def _map(draw: random.Random) -> Piece | None:
    """A map as the phase diagram asks for it."""
    x, y = (parse(text) for text in draw.sample(_AXES, 2))
    base = _experiment(draw, 7, 7)
    networks, real = draw.choice([1, 4, 16]), draw.random() < 0.4
    try:
        made = Landscape(base, x, y, draw.choice(list(MEASURES)), networks, real)
    except ValueError:  # σ_w and the scale are one axis
        return None
    return work_of_map(made), made.sweep


def _coordinate_check(draw: random.Random) -> Piece:
    """A width sweep as its page asks for it."""
    x = parse(draw.choice(["width=8..64:4", "width=16..256:5", "width=16..1024:7"]))
    y = parse(draw.choice(["depth=1,2,4,8", "depth=1,3,32", "depth=2,100"]))
    made = Landscape(_experiment(draw), x, y, MEASURE, draw.choice([4, 8]))
    return work_of_map(made), lambda: checked(made.sweep())


def _borders(draw: random.Random) -> Piece:
    x = parse(draw.choice(["scale=0.1..2:24", "sigma_w=0.1..2:24"]))
    y = parse(draw.choice([text for text in _AXES if "scale" not in text and "sigma" not in text]))
    asked = _experiment(draw), (x.name, x.values), (y.name, y.values)
    return borders.work(*asked), lambda: borders.borders(*asked)


def _exercise(draw: random.Random) -> Piece:
    step = draw.choice(list(STEPS.values()))
    n, depth = round(2 ** draw.uniform(1, 10)), round(2 ** draw.uniform(0, 9.96))
    repetitions = round(2 * (step.most_repetitions / 2) ** draw.random())
    setting = step.setting(n, depth, repetitions=repetitions)
    return step.work(setting), lambda: step.measure(setting)


KINDS: dict[str, Callable[[random.Random], Piece | None]] = {
    "runs": _run,
    "ensembles": _ensemble,
    "runs there and back": _backward,
    "ensembles with gradients": _gradients,
    "runs without a scale": _scale_free,
    "predictions": _prediction,
    "maps": _map,
    "coordinate checks": _coordinate_check,
    "borders of maps": _borders,
    "exercises": _exercise,
}


def _seconds(compute: Callable[[], object]) -> float:
    for cached in _CACHES:
        cached.cache_clear()
    began = time.process_time()
    compute()
    return time.process_time() - began


def ratios(kind: str, pieces: int, seed: int = _SEED) -> np.ndarray:
    """Estimate over processor time, of so many random pieces of work."""
    draw, found = random.Random(seed), []
    while len(found) < pieces:
        piece = KINDS[kind](draw)
        if piece is not None and piece[0] <= _LONGEST:
            estimate, compute = piece
            taken = min(_seconds(compute) for _ in range(3))  # other programs disturb one of them
            found.append(estimate / (1e6 * MICROSECOND) / taken)
    return np.array(found)


def rows(pieces: int = 60) -> Iterator[tuple[str, str, str]]:
    """The worst and the middle of each kind."""
    for name in ACTIVATIONS:
        table(name)  # found once in a process
    with single_threaded(), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for kind in KINDS:
            low, middle, high = np.quantile(ratios(kind, pieces), [0, 0.5, 1])
            told = f"{low:.2f} to {high:.2f}, median {middle:.2f}"
            yield f"estimate / time, {pieces} {kind}", told, "1/3 to 3"


if __name__ == "__main__":
    for what, measured, aim in rows(int(sys.argv[1]) if sys.argv[1:] else _PIECES):
        print(f"{what:44}{measured:>38}{aim:>14}", flush=True)
