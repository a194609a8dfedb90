"""check(): any model run there and back before its first step, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from ..layer.number_formats import NUMBER_FORMATS
from .calling import Loss, anew, called
from .evidence import Evidence
from .fitting import fit, wanted_sizes
from .kept_as_it_was import kept_as_it_was
from .measure import Ask, Pass, run
from .recorder import Recorder, leaves
from .report import Report
from .rows import merged
from .rules import RULES, Rule

MOST_SEEDS = 100


def check(
    model: nn.Module,
    batch: Any,
    *,
    loss: Loss | None = None,
    target: Any = None,
    seeds: int = 3,
    number_format: str | None = None,
    rules: Mapping[str, Rule] = RULES,
) -> Report:
    """Run a model on a batch, there and back, and judge what its modules do.

    The model is afterwards as it was before, also if it raises an error: parameters, buffers,
    gradients, training modes, hooks, and the random state.

    Args:
        model: any module; it is run in the mode it is in.
        batch: what it is called with: a tensor, a tuple of arguments, or a mapping of keywords.
        loss: of (outputs, target), or of the outputs alone where there is no target. Without a loss
            and a target the gradient begins with N(0, 1) at every floating output.
        target: for the loss; cross-entropy of the first floating output where no loss is given.
        seeds: how many times the model is drawn anew by its own ``reset_parameters``; once where it
            has none.
        number_format: the format in which sizes are judged, a key of NUMBER_FORMATS; that of the
            model's own parameters by default.
        rules: that judge.

    Raises:
        ValueError: an argument is not allowed; names it.
        CheckError: the model raises an error.
    """
    _refuse(model)
    if not isinstance(seeds, int) or not 1 <= seeds <= MOST_SEEDS:
        raise ValueError(f"seeds must be from 1 to {MOST_SEEDS}, got {seeds!r}")
    name = format_of_model(model) if number_format is None else number_format
    ask = Ask(batch, loss, target, name)
    draw = getattr(model, "reset_parameters", None)

    def drawn(seed: int) -> nn.Module:
        if seed and callable(draw):
            torch.manual_seed(seed)
            draw()
        return model

    with kept_as_it_was(model):
        passes = [run(drawn(k), ask, k) for k in range(seeds if callable(draw) else 1)]
    report = Report.of(_evidence(model, ask, passes), rules)
    if report.is_healthy:
        return report
    with kept_as_it_was(model):
        return _mended(model, ask, report, rules)


def check_built(
    build: Callable[[int], nn.Module],
    ask: Ask,
    *,
    seeds: int = 3,
    rules: Mapping[str, Rule] = RULES,
    tell: Callable[[float], None] = lambda fraction: None,
) -> Report:
    """The same for a model that is built anew for every seed, and needs not be kept.

    Args:
        build: of a seed.
        ask: what the model is run on.
        seeds: how many times it is built.
        rules: that judge.
        tell: called with the fraction done, between the runs.
    """
    passes = []
    for seed in range(seeds):
        model = build(seed)
        _refuse(model)
        passes.append(run(model, ask, seed))
        tell((seed + 1) / (seeds + 1))
    report = Report.of(_evidence(model, ask, passes), rules)
    return report if report.is_healthy else _mended(build(0), ask, report, rules)


def _refuse(model: object) -> None:
    """Raise ValueError for what is no module, or one whose numbers cannot be seen."""
    if not isinstance(model, nn.Module):
        raise ValueError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    if isinstance(model, torch.jit.ScriptModule):
        raise ValueError("model must be a module of Python, got one of TorchScript")
    if any(each.is_meta for each in (*model.parameters(), *model.buffers())):
        raise ValueError("model must be on a device with memory, got the device meta")


def _mended(model: nn.Module, ask: Ask, report: Report, rules: Mapping[str, Rule]) -> Report:
    """The report with the factors of each matrix, and what was measured after them.

    Only the first seed's weights are multiplied. A model that raises an error without gradients has
    no factors.
    """
    try:
        with torch.no_grad():
            with Recorder(model) as recorder:
                called(model, anew(ask.batch))
            loss = report.evidence.loss
            chooses = loss is not None and loss.classes is not None
            factors = fit(model, ask.batch, wanted_sizes(recorder, chooses=chooses))
        after = Report.of(_evidence(model, ask, [run(model, ask, 0)]), rules)
    except Exception:
        return report
    return replace(report, factors=factors, after=after)


def _evidence(model: nn.Module, ask: Ask, passes: list[Pass]) -> Evidence:
    """The evidence of several passes; additions and the loss are those of the first."""
    first = passes[0]
    inputs = [each for each in leaves(ask.batch) if isinstance(each, Tensor)]
    return Evidence(
        model=type(model).__name__,
        rows=merged([each.rows for each in passes]),
        additions=first.additions,
        loss=first.loss,
        number_format=ask.number_format,
        seeds=len(passes),
        inputs=tuple(tuple(each.shape) for each in inputs),
        goes_back=first.goes_back,
        missed=first.missed,
    )


def format_of_model(model: nn.Module) -> str:
    """The format of the first floating parameter, a key of NUMBER_FORMATS; else float32."""
    for each in model.parameters():
        name = str(each.dtype).removeprefix("torch.")
        if name in NUMBER_FORMATS:
            return name
    return "float32"
