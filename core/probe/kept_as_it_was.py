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
    """A tensor of the model, its memory, copies of its numbers, and what may be set on it."""

    tensor: Tensor
    values: Tensor
    data: Tensor
    requires_grad: bool
    grad: Tensor | None
    grad_values: Tensor | None


@contextmanager
def kept_as_it_was(model: nn.Module) -> Iterator[None]:
    """Restore a model and the random state when the block is left.

    Restored are the numbers of parameters, buffers and gradients, which tensors and modules they
    are, ``requires_grad``, the training mode of every module, and the random state of every device
    that holds the model. The numbers are copied, so that this needs as much memory as the model.
    """
    modules = list(model.modules())
    tensors = [*model.parameters(), *model.buffers()]
    kept = [_kept(each) for each in tensors]
    held = [(each, [dict(names) for names in _names(each)], each.training) for each in modules]
    cuda = sorted({each.device.index or 0 for each in tensors if each.is_cuda})
    with torch.random.fork_rng(devices=cuda):
        try:
            yield
        finally:
            for module, before, training in held:
                for names, kept_names in zip(_names(module), before, strict=True):
                    _refill(names, kept_names)
                module.training = training
            for each in kept:
                _restore(each)


def _kept(tensor: Tensor) -> _Kept:
    grad = tensor.grad if tensor.is_leaf else None
    values = None if grad is None else grad.detach().clone()
    data = tensor.detach()
    return _Kept(tensor, data.clone(), data, tensor.requires_grad, grad, values)


def _names(module: nn.Module) -> tuple[dict[str, Any], ...]:
    return module._parameters, module._buffers, module._modules


def _restore(kept: _Kept) -> None:
    tensor = kept.tensor
    with torch.no_grad():
        if tensor.data_ptr() != kept.data.data_ptr() or tensor.shape != kept.data.shape:
            tensor.data = kept.data
        if not _equal(kept.data, kept.values):
            kept.data.copy_(kept.values)
        grad, values = kept.grad, kept.grad_values
        if grad is not None and values is not None and not _equal(grad, values):
            grad.copy_(values)
    if tensor.is_leaf and tensor.requires_grad != kept.requires_grad:
        tensor.requires_grad_(kept.requires_grad)
    if tensor.is_leaf and tensor.grad is not kept.grad:
        tensor.grad = kept.grad


def _equal(a: Tensor, b: Tensor) -> bool:
    return not a.is_sparse and torch.equal(a, b)


def _refill(names: dict[str, Any], before: Mapping[str, Tensor | None]) -> None:
    """Let a module's parameters or buffers be the same tensors as before, in the same order."""
    same = list(names) == list(before) and all(names[each] is before[each] for each in before)
    if not same:
        names.clear()
        names.update(before)
