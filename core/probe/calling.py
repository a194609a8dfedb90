"""How a model is called, and what its gradient begins with: a loss, or a random cotangent."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn

from .fields import Between, Real
from .recorder import leaves

Loss = Callable[..., Tensor]
_FEWEST_CLASSES = 2


@dataclass(frozen=True)
class InitialLoss:
    """The loss before the first step.

    Attributes:
        value: of the batch.
        classes: among how many the model chooses; None where the loss is not cross-entropy.
    """

    value: Real
    classes: Annotated[int, Between(2, 2**53)] | None

    @property
    def by_chance(self) -> float | None:
        """ln C: the cross-entropy of a model that holds all classes for equally likely."""
        return None if self.classes is None else math.log(self.classes)


def copied(batch: Any) -> Any:
    """A batch whose floating tensors are leaves that get a gradient, and share no memory."""
    return _each(batch, lambda x: x.detach().clone().requires_grad_(x.is_floating_point()))


def anew(batch: Any) -> Any:
    """A batch of copies that may be changed in place, and hand their gradient on."""
    return _each(batch, torch.clone)


def _each(batch: Any, change: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(batch, Tensor):
        return change(batch)
    if isinstance(batch, Mapping):
        return {name: _each(value, change) for name, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(_each(value, change) for value in batch))
    if isinstance(batch, (tuple, list)):
        return type(batch)(_each(value, change) for value in batch)
    return batch


def called(model: nn.Module, batch: Any) -> Any:
    """The model's outputs: a mapping gives keywords, a tuple or a list arguments, all else one."""
    if isinstance(batch, Mapping):
        return model(**batch)
    if isinstance(batch, (tuple, list)):
        return model(*batch)
    return model(batch)


def floating(outputs: Any) -> list[Tensor]:
    """The outputs that have a gradient."""
    tensors = [each for each in leaves(outputs) if isinstance(each, Tensor)]
    return [each for each in tensors if each.is_floating_point() and each.requires_grad]


def compared(outputs: Any, loss: Loss | None, target: Any) -> tuple[Tensor, InitialLoss]:
    """The loss of the outputs.

    Args:
        outputs: of the model.
        loss: of (outputs, target), or of the outputs alone where there is no target; None for
            cross-entropy of the first floating output.
        target: what the loss compares them with; None for none.

    Raises:
        ValueError: the loss is no single number, or the target does not fit the outputs.
    """
    classes = None
    if loss is None:
        value, classes = _cross_entropy(outputs, target)
    else:
        value = loss(outputs) if target is None else loss(outputs, target)
    if not isinstance(value, Tensor) or value.numel() != 1:
        told = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"loss must give a tensor of one number, got {told}")
    return value, InitialLoss(float(value.detach()), classes)


def _cross_entropy(outputs: Any, target: Any) -> tuple[Tensor, int]:
    """Cross-entropy of logits whose classes are on axis 1, or on the last where that fits."""
    found = floating(outputs)
    if not found or not isinstance(target, Tensor):
        raise ValueError("target must be a tensor, and the model must have an output to compare")
    logits = found[0]
    axis = 1 if target.shape == logits.shape[:1] + logits.shape[2:] else -1
    if target.shape != logits.shape and target.shape != logits.movedim(axis, -1).shape[:-1]:
        raise ValueError(
            f"target must be of the shape of the output without its classes, {tuple(logits.shape)},"
            f" got {tuple(target.shape)}"
        )
    rows = logits if target.shape == logits.shape else logits.movedim(axis, 1)
    classes = rows.shape[1] if rows.dim() > 1 else _FEWEST_CLASSES
    return nn.functional.cross_entropy(rows, target), classes


def cotangents(outputs: Sequence[Tensor], generator: torch.Generator) -> list[Tensor]:
    """A random gradient for each output: N(0, 1) for every element."""
    drawn = [torch.randn(each.shape, generator=generator) for each in outputs]
    return [z.to(each) for z, each in zip(drawn, outputs, strict=True)]
