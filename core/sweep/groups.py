"""Groups: cells that one computation answers, and the engine that answers them.

Groups depend on the whole sweep alone, never on how it is cut into chunks: so the numbers are the
same to the last bit wherever, and in whatever order, groups are solved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..host.limits import WorkLimit, WorkLimitError, backward_cost, cost, ensemble_work
from ..host.threads import single_threaded
from ..layer.activations import Activation
from ..layer.operation import MICROSECOND
from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..question.streams import stream_seed
from ..simulation.backward import backpropagate
from ..simulation.ensemble import Ensemble, is_exact_in_law, sample_ensemble
from ..simulation.propagate import Run, Stopped, propagate
from ..simulation.scale_free import is_scale_free
from ..theory.profile import profile
from ..theory.windows import has_window, scale_window
from .measure import Measure
from .measures import MEASURES, is_stuck

Engine = Literal["theory", "sampler", "matrices", "runs"]
ENGINES: dict[Engine, str] = {
    "theory": "infinite-width theory",
    "sampler": "networks without matrices, exact in law",
    "matrices": "matrices multiplied without rounding to the number format",
    "runs": "real a @ x in the number format",
}
"""Engine, which computes a number -> its name in words."""

ShouldStop = Callable[[], bool]
_Key = tuple[Engine, Experiment, object]

_HEAVIEST = 8.0  # standard deviations; no weight of any matrix is farther out
_ROOM = 10.0  # octaves from the rms of x to the ends of a range, for what is inside a layer
_FINEST = 64.0  # smallest subnormals in a weight's std, from which on rounding hardly changes it
_SWEEP, _CELL = 1500.0, 25.0  # microseconds of a sweep and of a cell, besides their computation


@dataclass(frozen=True)
class Cell:
    """A place of the grid, as its flat index, and its experiment."""

    index: int
    experiment: Experiment


@dataclass(frozen=True)
class Group:
    """Cells that one computation answers.

    Attributes:
        engine: computes the answers.
        shared: the Experiment that is computed once for all cells.
        cells: the cells that it answers.
        level: 0 if one of them is among the coarsest cells, then 1, 2, …
    """

    engine: Engine
    shared: Experiment
    cells: tuple[Cell, ...]
    level: int


@dataclass(frozen=True)
class Question:
    """The question that every cell answers.

    Attributes:
        measure: a key of MEASURES.
        layer: the layer of a statistic; None for the last layer.
        ensemble_size: networks per cell.
        real: whether to multiply real matrices in the real number format even where a faster way
            is known.
    """

    measure: str
    layer: int | None = None
    ensemble_size: int = 1
    real: bool = False

    @property
    def entry(self) -> Measure:
        """The measure itself."""
        return MEASURES[self.measure]

    @property
    def networks(self) -> int:
        """Numbers per cell: one from theory, else one for each network."""
        return 1 if self.entry.of_theory else self.ensemble_size

    def layer_of(self, e: Experiment) -> int:
        """The layer that is measured in an experiment."""
        return e.depth if self.layer is None else self.layer


@dataclass(frozen=True)
class Answer:
    """The answer of a cell: a number per network, or the reason why there is none.

    Attributes:
        index: the cell's flat place in the grid.
        engine: computed the numbers.
        values: a number per network.
        error: why there is none; empty if there is.
        stuck: the networks that are stuck at the largest value of a format that saturates; None
            where none can be.
    """

    index: int
    engine: Engine
    values: Array = field(default_factory=lambda: np.empty(0))
    error: str = ""
    stuck: NDArray[np.bool_] | None = None


def grouped(cells: Sequence[tuple[Cell, int]], question: Question, deepest: int) -> Iterator[Group]:
    """Cells with their levels as groups.

    Args:
        cells: each with its level.
        question: decides which cells one computation can answer.
        deepest: the depth of the deepest cell of the sweep.
    """
    found: dict[_Key, list[tuple[Cell, int]]] = {}
    for cell, level in cells:
        found.setdefault(_key(cell, level, question, deepest), []).append((cell, level))
    for (engine, shared, _), members in found.items():
        level = min(level for _, level in members)
        yield Group(engine, shared, tuple(cell for cell, _ in members), level)


def _key(cell: Cell, level: int, question: Question, deepest: int) -> _Key:
    """Engine, shared Experiment, and anything else that sets a group apart."""
    e, entry = cell.experiment, question.entry
    if entry.of_theory is not None:
        phi_only = Experiment(activation=e.activation) if e.layer.is_plain else e
        return "theory", phi_only, (e.bias_std, level)
    if entry.is_backward:
        return _key_backward(e, question)
    if entry.of_ensemble is not None and not question.real and _only_ends_matter(e):
        free = is_scale_free(e)
        scale = 1.0 if free else e.scale
        # One ensemble serves every number format, every smaller depth, often every scale factor.
        shared = e.replace(depth=deepest, number_format="float64", scale=scale)
        if is_exact_in_law(shared):
            return "sampler", shared, None
        if free:
            return "matrices", shared, None
    return "runs", e.replace(depth=deepest), None


def _key_backward(e: Experiment, question: Question) -> _Key:
    """The same of a gradient, which begins at the last layer: every depth is a group of its own."""
    if question.entry.of_gradients is not None and not question.real and _only_ends_matter(e):
        kept = e.number_format if e.format.saturates else "float64"
        shared = e.replace(number_format=kept, loss_scale=1.0)
        if is_exact_in_law(shared, backward=True) and _carries(e):
            return "sampler", shared, None
    return "runs", e, None


def _carries(e: Experiment) -> bool:
    """Whether the typical signal stays in range, so that an ensemble knows its gradient."""
    if has_window(e):
        return scale_window(e, e.number_format).holds(e.scale)
    sizes, limit = profile(e).log2_rms, e.format
    low, high = limit.log2_rounds_to_zero_below + _ROOM, limit.log2_overflows_from - _ROOM
    return bool((sizes > low).all() and (sizes < high).all())


def _only_ends_matter(e: Experiment) -> bool:
    """Whether all that matters of the number format is where its range ends."""
    limit = e.format
    if limit.is_coarse:
        return False
    return _FINEST * limit.smallest_subnormal <= e.weight_std <= limit.max / _HEAVIEST


def work_of_all(groups: Sequence[Group], question: Question) -> float:
    """About how many multiply-adds a sweep of these groups takes."""
    cells = sum(len(group.cells) for group in groups)
    own = (_SWEEP + _CELL * cells) * MICROSECOND
    return own + sum(work(group, question) for group in groups)


def work(group: Group, question: Question) -> float:
    """About how many multiply-adds a group takes."""
    if group.engine == "theory":
        assert question.entry.theory_work is not None
        return question.entry.theory_work(*_of_theory(group))
    backward, size = question.entry.is_backward, question.ensemble_size
    if group.engine == "runs":
        return size * (backward_cost if backward else cost)(group.shared).multiply_adds
    return ensemble_work(group.shared, size, backward=backward)


def solve(group: Group, question: Question, should_stop: ShouldStop | None = None) -> list[Answer]:
    """The answers of a group's cells; a ValueError becomes the error of all of them.

    Args:
        group: the cells.
        question: the question that they answer.
        should_stop: asked after every layer of a network.

    Raises:
        Stopped: ``should_stop`` returned True.
    """
    try:
        if group.engine == "theory":
            return _by_theory(group, question)
        solved = _by_runs if group.engine == "runs" else _by_ensemble
        return solved(group, question, should_stop)
    except ValueError as error:
        return [Answer(cell.index, group.engine, error=str(error)) for cell in group.cells]


def _by_theory(group: Group, question: Question) -> list[Answer]:
    compute, e = question.entry.of_theory, group.shared
    assert compute is not None
    if not e.layer.is_plain:
        raise ValueError(
            f"{question.measure} is of layers φ(a @ x + b): branch must be product, skip none and "
            f"norm none, got {e.branch}, {e.skip} and {e.norm}"
        )
    with single_threaded():  # a sweep's own thread would use all cores
        values = compute(*_of_theory(group))
    return [
        Answer(cell.index, "theory", values[place : place + 1])
        for place, cell in enumerate(group.cells)
    ]


def _of_theory(group: Group) -> tuple[Activation, Array, Array]:
    """φ, and σ_w and σ_b of the cells."""
    experiments = [cell.experiment for cell in group.cells]
    sigma_w = np.array([e.sigma_w for e in experiments])
    return group.shared.phi, sigma_w, np.array([e.bias_std for e in experiments])


def _by_ensemble(group: Group, question: Question, should_stop: ShouldStop | None) -> list[Answer]:
    e, backward = group.shared, question.entry.is_backward

    def on_progress(fraction: float) -> None:
        if should_stop is not None and should_stop():
            raise Stopped(f"stopped after {fraction:.0%} of {question.ensemble_size} networks")

    size = question.ensemble_size
    ensemble = sample_ensemble(e, size, seed=e.seed, backward=backward, on_progress=on_progress)
    answers, spent = list[Answer](), 0.0
    for cell in group.cells:
        if backward and _ends(ensemble.at(cell.experiment)):
            alone = Group("runs", cell.experiment, (cell,), group.level)
            spent += work(alone, question)
            answers += _alone(alone, spent, question, should_stop)
        else:
            values = _read(ensemble, cell.experiment, question)
            answers.append(Answer(cell.index, group.engine, values))
    return answers


def _alone(
    group: Group, spent: float, question: Question, should_stop: ShouldStop | None
) -> list[Answer]:
    """The answer of a cell by real runs, or its error where they are more than the host allows.

    ``spent`` is the work of all such cells so far, this one included.
    """
    [cell] = group.cells
    what, levers = "every network of the cells up to this one", "width, depth or ensemble_size"
    limit = WorkLimit.from_environment()
    try:
        limit.check(cell.experiment, backward=True)
        limit.check_work(what, spent, levers)
    except WorkLimitError as error:
        return [Answer(cell.index, "runs", error=str(error))]
    return _by_runs(group, question, should_stop)


def _ends(ensemble: Ensemble) -> bool:
    """Whether a signal leaves its number format: then no ensemble tells what its gradient does."""
    ended = ensemble.first_overflow, ensemble.first_all_zero
    return bool(np.isfinite(ended).any())


def _read(ensemble: Ensemble, e: Experiment, question: Question) -> Array:
    """The numbers of an ensemble's networks, for a cell's experiment."""
    if question.entry.of_gradients is not None:
        return question.entry.of_gradients(ensemble, e)
    assert question.entry.of_ensemble is not None
    return np.asarray(question.entry.of_ensemble(ensemble.at(e), question.layer_of(e)))


def _by_runs(group: Group, question: Question, should_stop: ShouldStop | None) -> list[Answer]:
    networks = _networks(group.shared, question.ensemble_size)
    if question.entry.is_backward:
        return _by_gradients(group, networks, question, should_stop)
    compute = question.entry.of_run
    assert compute is not None
    runs = [propagate(each, should_stop=should_stop) for each in networks]
    saturates = group.shared.format.saturates
    answers = []
    for cell in group.cells:
        layer = question.layer_of(cell.experiment)
        stuck = np.array([is_stuck(run.stats, layer) for run in runs]) if saturates else None
        values = _each(runs, layer, compute)
        answers.append(Answer(cell.index, "runs", values, stuck=stuck))
    return answers


def _by_gradients(
    group: Group, networks: Iterator[Experiment], question: Question, should_stop: ShouldStop | None
) -> list[Answer]:
    """The answers of cells that all ask for the same networks."""
    compute = question.entry.of_backward
    assert compute is not None
    found = [backpropagate(each, should_stop=should_stop) for each in networks]
    values = np.array([compute(back) for back in found])
    saturates = group.shared.format.saturates
    stuck = np.array([is_stuck(back.stats, 0) for back in found]) if saturates else None
    return [Answer(cell.index, "runs", values, stuck=stuck) for cell in group.cells]


def _each(runs: Sequence[Run], layer: int, compute: Callable[[Run, int], float]) -> Array:
    return np.array([compute(run, layer) for run in runs])


def _networks(e: Experiment, count: int) -> Iterator[Experiment]:
    """The experiment itself, as Explore shows it, and copies with other seeds."""
    yield e
    for number in range(1, count):
        yield e.replace(seed=stream_seed(e.seed, -number - 1) >> 1)
