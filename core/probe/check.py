"""check(): any model run there and back before its first step, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..layer.number_formats import NUMBER_FORMATS
from .calling import Loss
from .evidence import Evidence
from .fitting import Factor, fit, wanted_sizes
from .kept_as_it_was import kept_as_it_was
from .measure import Pass, run
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
    if not isinstance(model, nn.Module):
        raise ValueError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    if not isinstance(seeds, int) or not 1 <= seeds <= MOST_SEEDS:
        raise ValueError(f"seeds must be from 1 to {MOST_SEEDS}, got {seeds!r}")
    name = _format_of(model) if number_format is None else number_format
    if name not in NUMBER_FORMATS:
        raise ValueError(f"number_format must be one of {', '.join(NUMBER_FORMATS)}, got {name!r}")
    passes = []
    with kept_as_it_was(model):
        draw = getattr(model, "reset_parameters", None)
        for seed in range(seeds if callable(draw) else 1):
            if callable(draw) and seed:
                torch.manual_seed(seed)
                draw()
            passes.append(run(model, batch, loss, target, seed))
    factors = fitted(model, batch)
    return Report.of(evidence_of(model, batch, passes, factors, name), rules)


def fitted(model: nn.Module, batch: Any) -> tuple[Factor, ...]:
    """What each matrix of a model is to be multiplied by; the model stays as it is."""
    with kept_as_it_was(model), torch.no_grad():
        with Recorder(model) as recorder:
            from .calling import called

            called(model, batch)
        return fit(model, batch, wanted_sizes(recorder))


def evidence_of(
    model: nn.Module, batch: Any, passes: list[Pass], factors: tuple[Factor, ...], name: str
) -> Evidence:
    """The evidence of several passes; additions and the loss are those of the first."""
    first = passes[0]
    return Evidence(
        model=type(model).__name__,
        rows=merged([each.rows for each in passes]),
        additions=first.additions,
        loss=first.loss,
        factors=factors,
        number_format=name,
        seeds=len(passes),
        inputs=tuple(tuple(each.shape) for each in leaves(batch) if isinstance(each, Tensor)),
        goes_back=first.goes_back,
        missed=first.missed,
    )


def _format_of(model: nn.Module) -> str:
    """The format of the first floating parameter; float32 where there is none that we know."""
    for each in model.parameters():
        name = str(each.dtype).removeprefix("torch.")
        if name in NUMBER_FORMATS:
            return name
    return "float32"
