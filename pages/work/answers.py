"""What the pages ask for: each answer is found once, kept for all viewers, and bounded."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.host import settings
from core.host.limits import WorkLimit, cost, ensemble_work, is_quick
from core.lesson import STEPS, Result, Setting
from core.maps.borders import Border
from core.maps.borders import borders as compute_borders
from core.maps.landscape import Landscape
from core.question.experiment import PARAMETERS, Experiment
from core.simulation.ensemble import Ensemble, sample_ensemble
from core.simulation.propagate import Run, propagate
from core.simulation.scale_free import ScaleFree, free_of_scale, is_scale_free
from core.simulation.scale_free import scale_free as compute_scale_free
from core.sweep import SweepResult
from core.sweep.executors import chosen
from core.theory.finite_width import Prediction, predict
from pages.work import log
from pages.work import viewer as _viewer
from pages.work.jobs import OnProgress
from pages.work.progress import Progress
from pages.work.queue import Work

_LONG_CHAIN = 200  # layers, whose law takes a tenth of a second
_DEPTHS = 25  # an ensemble is as deep as the next multiple
_QUICK_ENSEMBLE = 5e8  # multiply-adds: less than 0.2 s


@cache
def work() -> Work:
    """All the work of this process."""
    return Work(
        settings.value("GOOD_INIT_RUNS_AT_ONCE"),
        settings.value("GOOD_INIT_LONGEST_QUEUE"),
        settings.value("GOOD_INIT_CACHE_BYTES"),
        log.ended,
    )


def viewer() -> str:
    """Whose turn in the queue it is."""
    return _viewer.token() if get_script_run_ctx(suppress_warning=True) else ""


def _asked(
    what: str, key: object, compute: Callable[[OnProgress], Any], quick: bool, **more: Any
) -> Any:
    # Only who may have to wait in a queue needs a name: finding it costs more than a quick answer.
    name = "" if quick else viewer()
    return work().answer((what, key), compute, quick=quick, viewer=name, **more)


_NOWHERE = Progress()


def run(experiment: Experiment, device: str, progress: Progress = _NOWHERE) -> Run:
    """The run of an experiment on a device; computed once for all viewers who ask for it."""
    e = experiment
    return _asked(
        "run",
        (e, device),
        lambda tell: propagate(e, device, on_progress=tell),
        is_quick(e),
        hear=progress,
        about={"experiment": e.to_query(), "device": device, "bytes_at_most": cost(e).bytes},
    )


def prediction(experiment: Experiment, progress: Progress = _NOWHERE) -> Prediction:
    """What theory says of an experiment, whatever its seed."""
    e = experiment.replace(seed=0)
    return _asked(
        "prediction",
        e,
        lambda tell: predict(e),
        is_quickly_predicted(e),
        hear=progress,
        about={"experiment": e.to_query()},
    )


def is_quickly_predicted(experiment: Experiment) -> bool:
    """Whether its law is found before anyone would notice."""
    return experiment.depth <= _LONG_CHAIN


def ensemble_base(experiment: Experiment) -> Experiment:
    """The experiment whose ensemble serves this one too: of any seed, format, and often scale.

    A deeper network serves a shallower one, so that a step of the depth slider finds it here.
    """
    deeper = -(-experiment.depth // _DEPTHS) * _DEPTHS
    depth = min(deeper, int(PARAMETERS["depth"].maximum))
    base = experiment.replace(seed=0, depth=depth, number_format="float64")
    return free_of_scale(base) if experiment.scale and is_scale_free(base) else base


def is_quick_ensemble(experiment: Experiment, ensemble_size: int) -> bool:
    """Whether that many networks are run before anyone would notice."""
    return ensemble_work(ensemble_base(experiment), ensemble_size) < _QUICK_ENSEMBLE


def ensemble(experiment: Experiment, ensemble_size: int, progress: Progress = _NOWHERE) -> Ensemble:
    """Many networks of an experiment, whatever its seed."""
    base = ensemble_base(experiment)
    found: Ensemble = _asked(
        "ensemble",
        (base, ensemble_size),
        lambda tell: sample_ensemble(base, ensemble_size, on_progress=tell),
        is_quick_ensemble(experiment, ensemble_size),
        hear=progress,
        about={"experiment": base.to_query(), "networks": ensemble_size},
    )
    return found.at(experiment.replace(seed=0))


def exercise(slug: str, setting: Setting, progress: Progress = _NOWHERE) -> Result:
    """What an exercise of the lesson came to; computed once for all students of that size."""
    return _asked(
        "exercise",
        (slug, setting),
        lambda tell: STEPS[slug].measure(setting, tell),
        False,
        hear=progress,
        about={"step": slug, "n": setting.n, "depth": setting.depth},
    )


def scale_free(experiment: Experiment) -> ScaleFree:
    """The run that answers for every scale factor of an experiment free of scale."""
    return _asked(
        "scale_free",
        experiment,
        lambda tell: compute_scale_free(experiment),
        True,
        about={"experiment": experiment.to_query()},
    )


def sweep(
    landscape: Landscape,
    progress: Progress = _NOWHERE,
    *,
    patience: float = math.inf,
    known: SweepResult | None = None,
) -> SweepResult:
    """The numbers of a landscape; those that are known already are not computed again.

    Raises:
        Unfinished: the patience ran out; has the part of the result that is there.
    """

    def compute(tell: OnProgress) -> SweepResult:
        landscape.check(WorkLimit.from_environment())
        done = known.fraction_done if known else 0.0

        def on_result(found: SweepResult) -> None:
            nonlocal done
            done = found.fraction_done
            tell(done, found)

        def should_stop() -> bool:
            tell(done)  # raises where nobody waits
            return False

        with chosen() as executor:
            return landscape.sweep(
                executor=executor, on_result=on_result, should_stop=should_stop, known=known
            )

    return _asked(
        "sweep",
        landscape,
        compute,
        False,
        hear=progress,
        patience=patience,
        about={"experiment": landscape.base.to_query()} | landscape.to_query(),
    )


def leave_sweep(landscape: Landscape) -> None:
    """This viewer looks at another one now."""
    work().leave(("sweep", landscape), viewer())


def borders(landscape: Landscape, *, patience: float = math.inf) -> list[Border]:
    """Theory's borders on a landscape, whatever its seed, measure and networks.

    Raises:
        Unfinished: the patience ran out.
    """
    base = landscape.base.replace(seed=0)
    x, y = landscape.x, landscape.y
    return _asked(
        "borders",
        (base, x, y),
        lambda tell: compute_borders(base, (x.name, x.values), (y.name, y.values)),
        base.phi.positively_homogeneous and "activation" not in landscape.axes,
        patience=patience,
        about={"experiment": base.to_query()} | {"x": x.to_text(), "y": y.to_text()},
    )
