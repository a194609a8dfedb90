"""The answers that pages ask for: each is computed once and cached for all viewers."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.host import settings
from core.host.limits import (
    WorkLimit,
    WorkLimitError,
    backward_cost,
    cost,
    ensemble_work,
    is_quick,
    is_quick_work,
    memory_there_and_back,
)
from core.host.threads import set_threads
from core.lesson import STEPS, Result, Setting
from core.maps.borders import Border
from core.maps.borders import borders as compute_borders
from core.maps.borders import work as work_of_borders
from core.maps.fitting import check as check_size
from core.maps.landscape import Landscape
from core.papers import CLAIMS, Finding, reproduce, reproduce_all, theory
from core.probe.report import Report
from core.question.experiment import PARAMETERS, Experiment
from core.reading.gradient_run import as_ensemble
from core.reading.loss_windows import RUNS, measured_windows
from core.simulation.backward import Backward, backpropagate
from core.simulation.ensemble import Ensemble, sample_ensemble
from core.simulation.propagate import Run, propagate
from core.simulation.scale_free import (
    ScaleFree,
    free_of_scale,
    is_scale_free,
    scale_free_gradient,
    scale_free_work,
)
from core.simulation.scale_free import scale_free as compute_scale_free
from core.specimens import SPECIMENS, examine
from core.sweep import SweepResult
from core.sweep.executors import chosen
from core.theory.finite_width import Prediction, predict
from core.theory.shares import Shares
from core.theory.shares import shares as compute_shares
from core.theory.shares import work as work_of_shares
from core.theory.windows import Window
from core.theory.work import prediction_work
from pages.work import log
from pages.work.jobs import OnProgress, TookTooLong
from pages.work.progress import Progress
from pages.work.shared import Work
from pages.work.viewer import token

_DEPTHS = 25  # an ensemble has the next multiple of this as its depth
_NOWHERE = Progress()
_reproduced = cache(reproduce)  # a viewer who leaves has not waited for nothing


@cache
def work() -> Work:
    """The work of this process."""
    return Work(
        settings.value("GOOD_INIT_RUNS_AT_ONCE"),
        settings.value("GOOD_INIT_LONGEST_QUEUE"),
        settings.value("GOOD_INIT_CACHE_BYTES"),
        log.ended,
        most_seconds=settings.value("GOOD_INIT_MAX_SECONDS"),
    )


def viewer() -> str:
    """For whom a script computes; "" outside of scripts."""
    return token() if get_script_run_ctx(suppress_warning=True) else ""


def _asked(
    what: str,
    key: object,
    compute: Callable[[OnProgress], Any],
    described: Callable[[], tuple[bool, dict[str, Any]]],
    **more: Any,
) -> Any:
    """An answer of this process.

    Args:
        what: its kind.
        key: all that it depends on.
        compute: as `Work.answer` calls it.
        described: whether it is quick, and what is asked, for the log. It is called only where the
            answer is not in the cache.
        more: for `Work.answer`.
    """
    kept = work().kept_answer((what, key))
    if kept is not None:
        return kept.answer
    quick, about = described()

    def on_few_threads(tell: OnProgress) -> Any:
        set_threads(settings.value("GOOD_INIT_THREADS"))  # a new thread of Python has its own
        return compute(tell)

    key = what, key
    return work().answer(key, on_few_threads, quick=quick, viewer=viewer(), about=about, **more)


def run(experiment: Experiment, device: str, progress: Progress = _NOWHERE) -> Run:
    """The run of an experiment on a device; computed once for all viewers who ask for it."""
    e = experiment
    both = work().kept_answer(("there_and_back", (e, device)))
    if both is not None:
        found: Run = both.answer.run
        return found
    return _asked(
        "run",
        (e, device),
        lambda tell: propagate(e, device, on_progress=tell),
        lambda: (
            is_quick(e),
            {"experiment": e.to_query(), "device": device, "bytes_at_most": cost(e).bytes},
        ),
        hear=progress,
    )


def there_and_back(experiment: Experiment, device: str, progress: Progress = _NOWHERE) -> Backward:
    """The run of an experiment and its gradient, in one computation."""
    e = experiment
    return _asked(
        "there_and_back",
        (e, device),
        lambda tell: backpropagate(e, device, on_progress=tell),
        lambda: (
            is_quick(e, backward=True),
            {
                "experiment": e.to_query(),
                "device": device,
                "bytes_at_most": memory_there_and_back(e),
            },
        ),
        hear=progress,
    )


def prediction(experiment: Experiment, progress: Progress = _NOWHERE) -> Prediction:
    """What theory predicts for an experiment, whatever its seed.

    Where that takes longer than the host allows, nothing is predicted, and the prediction says so.
    """
    e = experiment.replace(seed=0)
    return _asked(
        "prediction",
        e,
        lambda tell: _predicted(e, tell),
        lambda: (is_quickly_predicted(e), {"experiment": e.to_query()}),
        hear=progress,
    )


def _predicted(experiment: Experiment, tell: OnProgress) -> Prediction:
    try:
        WorkLimit.from_environment().check_work(
            "a prediction", prediction_work(experiment), "depth"
        )
        return predict(experiment, on_progress=tell)
    except (WorkLimitError, TookTooLong) as error:
        return Prediction(f"Nothing is predicted: {error}.")


def is_quickly_predicted(experiment: Experiment) -> bool:
    """Whether its law is quick to compute."""
    return is_quick_work(prediction_work(experiment.replace(seed=0)))


def shares(experiment: Experiment) -> Shares | None:
    """The shares of units at infinite width, whatever the seed; None where they are not quick."""
    e = experiment.replace(seed=0, number_format="float64", loss_scale=1.0)
    quick = is_quick_work(work_of_shares(e))
    if not quick:
        return None
    found: Shares = _asked(
        "shares", e, lambda tell: compute_shares(e), lambda: (quick, {"experiment": e.to_query()})
    )
    return found


def ensemble_base(experiment: Experiment, *, backward: bool = False) -> Experiment:
    """The experiment whose ensemble also answers for this one.

    It has one seed, one loss scale and one number format, but a format that saturates has its
    own. Where the scale factor can be divided out, it also has one scale factor. Its depth is
    rounded up, so that a step of the depth slider mostly finds its ensemble in the cache; with
    gradients it is the experiment's own, for they begin at the last layer.
    """
    e = experiment
    deeper = min(-(-e.depth // _DEPTHS) * _DEPTHS, int(PARAMETERS["depth"].maximum))
    kept = e.number_format if e.format.saturates else "float64"
    depth = e.depth if backward else deeper
    base = e.replace(seed=0, depth=depth, number_format=kept, loss_scale=1.0)
    return free_of_scale(base) if e.scale and is_scale_free(base) else base


def is_quick_ensemble(
    experiment: Experiment, ensemble_size: int, *, backward: bool = False
) -> bool:
    """Whether running that many networks is quick, with their gradients if ``backward``."""
    base = ensemble_base(experiment, backward=backward)
    return is_quick_work(ensemble_work(base, ensemble_size, backward=backward))


def ensemble(
    experiment: Experiment,
    ensemble_size: int,
    progress: Progress = _NOWHERE,
    *,
    backward: bool = False,
) -> Ensemble:
    """An ensemble of networks of an experiment, whatever its seed.

    With ``backward`` it is that of their gradients, as signals from the output to the input.
    """
    base = ensemble_base(experiment, backward=backward)
    found: Ensemble = _asked(
        "ensemble",
        (base, ensemble_size, backward),
        lambda tell: sample_ensemble(base, ensemble_size, backward=backward, on_progress=tell),
        lambda: (
            is_quick_ensemble(experiment, ensemble_size, backward=backward),
            {"experiment": base.to_query(), "networks": ensemble_size, "backward": backward},
        ),
        hear=progress,
    )
    found = found.at(experiment.replace(seed=0))
    return as_ensemble(found) if backward else found


def exercise(slug: str, setting: Setting, progress: Progress = _NOWHERE) -> Result:
    """The result of an exercise of the lesson; computed once for all students with that setting."""
    step = STEPS[slug]
    return _asked(
        "exercise",
        (slug, setting),
        lambda tell: step.measure(setting, tell),
        lambda: (
            is_quick_work(step.work(setting)),
            {"step": slug, "n": setting.n, "depth": setting.depth},
        ),
        hear=progress,
    )


def scale_free(experiment: Experiment) -> ScaleFree:
    """The run of an experiment whose scale factor is left out: it answers for every one."""
    return _asked(
        "scale_free",
        experiment,
        lambda tell: compute_scale_free(experiment, on_progress=tell),
        lambda: (is_quick_work(scale_free_work(experiment)), {"experiment": experiment.to_query()}),
    )


def scale_free_there_and_back(experiment: Experiment) -> tuple[ScaleFree, ScaleFree]:
    """The same with its gradient, as a signal from the output to the input."""
    return _asked(
        "scale_free_there_and_back",
        experiment,
        lambda tell: scale_free_gradient(experiment, on_progress=tell),
        lambda: (
            is_quick_work(scale_free_work(experiment, backward=True)),
            {"experiment": experiment.to_query()},
        ),
    )


def sweep(
    landscape: Landscape,
    progress: Progress = _NOWHERE,
    *,
    patience: float = math.inf,
    known: SweepResult | None = None,
) -> SweepResult:
    """The numbers of a map.

    Args:
        landscape: the map.
        progress: shows how far it is.
        patience: seconds after which the part known so far is enough.
        known: numbers known already; they are not computed again.

    Raises:
        Unfinished: the patience ran out; it has the part known so far.
    """
    return _asked(
        "sweep",
        landscape,
        lambda tell: _swept(landscape, known, tell),
        lambda: (False, {"experiment": landscape.base.to_query()} | landscape.to_query()),
        hear=progress,
        patience=patience,
    )


def by_theory(names: tuple[str, ...]) -> tuple[Finding, ...]:
    """Numbers of the literature beside their exact values; nothing is measured."""
    rows = [CLAIMS[name] for name in names]
    return _asked(
        "by_theory", names, lambda tell: theory(rows), lambda: (True, {"rows": len(rows)})
    )


def findings(names: tuple[str, ...], *, patience: float = math.inf) -> tuple[Finding, ...]:
    """Numbers of the literature, measured again.

    Args:
        names: of the rows.
        patience: seconds after which the part known so far is enough.

    Raises:
        Unfinished: the patience ran out; it has the rows measured so far.
    """
    rows = [CLAIMS[name] for name in names]

    def compute(tell: OnProgress) -> tuple[Finding, ...]:
        return reproduce_all(rows, lambda found: tell(len(found) / len(rows), found), _reproduced)

    return _asked(
        "findings", names, compute, lambda: (False, {"rows": len(rows)}), patience=patience
    )


def examined(
    name: str,
    values: tuple[tuple[str, str], ...],
    draws: int,
    number_format: str,
    progress: Progress = _NOWHERE,
) -> Report:
    """The report on a specimen.

    Args:
        name: of the specimen.
        values: of its controls.
        draws: how often its weights are drawn.
        number_format: in which it is judged.
        progress: shows how far it is.

    Raises:
        WorkLimitError: it needs more memory or work than the host allows.
    """
    specimen, chosen = SPECIMENS[name], dict(values)
    need = specimen.cost(chosen, draws)
    limit, levers = WorkLimit.from_environment(), "its depth or width, or the draws"
    limit.check_memory(specimen.title, need.bytes, levers)
    limit.check_work(specimen.title, need.multiply_adds, levers)
    return _asked(
        "examined",
        (name, values, draws, number_format),
        lambda tell: examine(specimen, chosen, seeds=draws, number_format=number_format, tell=tell),
        lambda: (False, {"specimen": name, "bytes_at_most": need.bytes} | chosen),
        hear=progress,
    )


def _swept(landscape: Landscape, known: SweepResult | None, tell: OnProgress) -> SweepResult:
    check_size(landscape, WorkLimit.from_environment())
    done = known.fraction_done if known else 0.0

    def on_result(found: SweepResult) -> None:
        nonlocal done
        done = found.fraction_done
        tell(done, found)

    def should_stop() -> bool:
        tell(done)  # raises once nobody waits
        return False

    with chosen() as executor:
        return landscape.sweep(
            executor=executor, on_result=on_result, should_stop=should_stop, known=known
        )


def loss_windows(
    experiment: Experiment, names: tuple[str, ...], progress: Progress = _NOWHERE
) -> dict[str, Window]:
    """The windows of loss scales that real gradients find, in the number formats of these names.

    Raises:
        WorkLimitError: it is more work than the host allows.
    """
    e = experiment.replace(loss_scale=1.0, number_format="float64")
    formats = [e.replace(number_format=name) for name in names]
    need = backward_cost(e).multiply_adds
    need += RUNS * sum(backward_cost(each).multiply_adds for each in formats)
    limit = WorkLimit.from_environment()
    for each in formats:
        limit.check(each, backward=True)
    limit.check_work("measuring the windows of loss scales", need, "width or depth")
    return _asked(
        "loss_windows",
        (e, names),
        lambda tell: measured_windows(e, names, on_progress=tell),
        lambda: (is_quick_work(need), {"experiment": e.to_query(), "formats": names}),
        hear=progress,
    )


def leave_sweep(landscape: Landscape) -> None:
    """Note that the viewer no longer waits for a map."""
    work().leave(("sweep", landscape), viewer())


def borders(landscape: Landscape, *, patience: float = math.inf) -> list[Border]:
    """Theory's borders on a map, whatever its seed, measure and networks.

    Raises:
        Unfinished: the patience ran out.
    """
    base = landscape.base.replace(seed=0)
    x, y = landscape.x, landscape.y
    asked = base, (x.name, x.values), (y.name, y.values)
    return _asked(
        "borders",
        (base, x, y),
        lambda tell: compute_borders(*asked, tell),
        lambda: (
            is_quick_work(work_of_borders(*asked)),
            {"experiment": base.to_query()} | {"x": x.to_text(), "y": y.to_text()},
        ),
        hear=_NOWHERE,
        patience=patience,
    )
