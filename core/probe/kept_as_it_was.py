"""A model as it was before: whatever is done with it in between, also where that fails."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass
class _Kept:
    """A tensor of the model, a copy of its numbers, and what may be set on it."""

    tensor: Tensor
    values: Tensor
    version: int
    requires_grad: bool
    grad: Tensor | None


@contextmanager
def kept_as_it_was(model: nn.Module) -> Iterator[None]:
    """Restore a model and the random state when the block is left.

    Restored are the numbers of parameters and buffers, which tensors they are, their ``grad`` and
    ``requires_grad``, the training mode of every module, and the random state of every device that
    holds the model. The numbers are copied, so that this needs as much memory as the model.
    """
    modules = list(model.modules())
    tensors = [*model.parameters(), *model.buffers()]
    kept = [_kept(each) for each in tensors]
    held = [(each, dict(each._parameters), dict(each._buffers), each.training) for each in modules]
    cuda = sorted({each.device.index or 0 for each in tensors if each.is_cuda})
    with torch.random.fork_rng(devices=cuda):
        try:
            yield
        finally:
            for module, parameters, buffers, training in held:
                _refill(module._parameters, parameters)
                _refill(module._buffers, buffers)
                module.training = training
            for each in kept:
                _restore(each)


def _kept(tensor: Tensor) -> _Kept:
    values = tensor.detach().clone()
    return _Kept(tensor, values, tensor._version, tensor.requires_grad, tensor.grad)


def _restore(kept: _Kept) -> None:
    tensor = kept.tensor
    if tensor._version != kept.version:
        with torch.no_grad():
            tensor.detach().copy_(kept.values)
    if tensor.is_leaf and tensor.requires_grad != kept.requires_grad:
        tensor.requires_grad_(kept.requires_grad)
    if tensor.grad is not kept.grad:
        tensor.grad = kept.grad


def _refill(names: dict[str, Any], before: Mapping[str, Tensor | None]) -> None:
    """Let a module's parameters or buffers be the same tensors as before, in the same order."""
    same = list(names) == list(before) and all(names[each] is before[each] for each in before)
    if not same:
        names.clear()
        names.update(before)
