"""A model run there and back with one seed, and everything that its modules did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ..layer.number_formats import NUMBER_FORMATS
from ..text import shown
from .calling import InitialLoss, Loss, anew, called, compared, copied, cotangents, floating
from .recorder import Addition, Call, Recorder
from .rows import ModuleRow, named
from .weights import Weight


class CheckError(RuntimeError):
    """The model could not be run; the message says where, and what it raised."""


@dataclass(frozen=True)
class Pass:
    """One run of a model there and back.

    Attributes:
        rows: name -> what is known of a call.
        additions: of branches to streams, in the order of execution.
        loss: before the first step; None where there is no target.
        missed: how many calls were too many to be recorded.
        goes_back: whether there was a gradient at all.
    """

    rows: dict[str, ModuleRow]
    additions: tuple[Addition, ...]
    loss: InitialLoss | None
    missed: int
    goes_back: bool


@dataclass(frozen=True)
class Ask:
    """The batch, the loss and the format of a check.

    Attributes:
        batch: what it is called with: a tensor, a tuple of arguments, or a mapping of keywords.
        loss: of (outputs, target), or of the outputs alone where there is no target.
        target: for the loss; cross-entropy where no loss is given.
        number_format: the format in which sizes are judged, a key of NUMBER_FORMATS.
    """

    batch: Any
    loss: Loss | None
    target: Any
    number_format: str

    def __post_init__(self) -> None:
        if self.number_format not in NUMBER_FORMATS:
            raise ValueError(
                f"number_format must be one of {', '.join(NUMBER_FORMATS)}, "
                f"got {shown(self.number_format)}"
            )


def run(model: nn.Module, ask: Ask, seed: int) -> Pass:
    """Run a model on a batch, and back from its loss or from a random gradient.

    Args:
        model: it may be changed, as a training step without its last line would.
        ask: what it is run on; the gradient at the end is random where there is no loss.
        seed: of the random gradient.

    Raises:
        CheckError: the model raises an error, there or back.
    """
    inputs = copied(ask.batch)
    given_inputs = floating(inputs)
    parameters: list[nn.Parameter] = []
    with Recorder(model) as recorder, torch.enable_grad():
        try:
            outputs = called(model, anew(inputs))
        except Exception as error:
            at = f" in {recorder.place}" if recorder.place else ""
            raise CheckError(f"the model's forward raised{at}: {_told(error)}") from error
        with recorder.pause():
            parameters = [each for each in model.parameters() if each.requires_grad]
            found = None
            if ask.loss is not None or ask.target is not None:
                value, found = compared(outputs, ask.loss, ask.target)
                ends, given = (
                    ([value], [torch.ones_like(value)]) if value.requires_grad else ([], [])
                )
            else:
                ends = floating(outputs)
                given = cotangents(ends, torch.Generator().manual_seed(seed))
            gradients = _backward(ends, given, parameters, given_inputs)
    rows = _rows(recorder.calls, dict(zip(map(id, parameters), gradients, strict=True)))
    return Pass(rows, tuple(recorder.additions), found, recorder.missed, bool(ends))


def _backward(
    ends: list[Tensor], given: list[Tensor], parameters: list[nn.Parameter], inputs: list[Tensor]
) -> list[Tensor | None]:
    """The gradients of parameters; None for those that none reaches.

    The inputs are asked for too, so that the gradient runs through modules without parameters.
    """
    if not ends:
        return [None] * len(parameters)
    try:
        found = torch.autograd.grad(ends, [*parameters, *inputs], given, allow_unused=True)
    except Exception as error:
        raise CheckError(f"the model's backward raised: {_told(error)}") from error
    return list(found[: len(parameters)])


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _rows(calls: list[Call], gradients: dict[int, Tensor | None]) -> dict[str, ModuleRow]:
    seen: set[nn.Module] = set()
    rows = {}
    for name, call in zip(named(calls), calls, strict=True):
        weights: tuple[Weight, ...] = ()
        if call.module is not None and call.module not in seen:
            seen.add(call.module)
            weights = tuple(
                Weight.of(key, call.module, each, gradients.get(id(each)))
                for key, each in call.module.named_parameters(recurse=False)
            )
        rows[name] = ModuleRow(
            name=name,
            kind=call.kind,
            role=call.role,
            shape=call.shape,
            dtype=call.dtype,
            output=call.output,
            gradient=call.gradient,
            spread=0.0,
            dead=call.dead,
            flat=call.flat,
            weights=weights,
        )
    return rows
