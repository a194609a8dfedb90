"""Whether a model is as it was before."""

from contextlib import contextmanager

import torch
from torch import nn

from core.probe.check import check

from .models import Call, randn

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_X = randn(6, 8)


def _bits(tensor):
    return tensor.detach().clone().contiguous().reshape(-1).view(torch.uint8)


def _state(model):
    tensors = [*model.named_parameters(remove_duplicate=False), *model.named_buffers()]
    return {
        "tensors": [(name, id(each), each.requires_grad, each.shape) for name, each in tensors],
        "bits": [_bits(each) for _, each in tensors],
        "keys": list(model.state_dict()),
        "grads": [each.grad for each in model.parameters()],
        "grad bits": [None if p.grad is None else _bits(p.grad) for p in model.parameters()],
        "modules": [(name, id(each), each.training) for name, each in model.named_modules()],
        "hooks": [dict(getattr(m, hooks)) for m in model.modules() for hooks in _HOOKS],
        "own hooks": [dict(p._backward_hooks or {}) for p in model.parameters()],
        "random": torch.get_rng_state(),
    }


def _same(a, b):
    if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(_same, a, b))
    return a is b or a == b


@contextmanager
def untouched(model):
    before = _state(model)
    try:
        yield
    finally:
        after = _state(model)
        changed = [name for name in before if not _same(before[name], after[name])]
        assert not changed, f"the check changed: {', '.join(changed)}"


def checked(model, batch=_X, **asked):
    with untouched(model):
        return check(model, batch, **asked)


def lin(inside=8, outside=8):
    return nn.Linear(inside, outside)


def two(forward):
    """A model with two matrices, a and b, and a buffer c."""
    model = Call(forward, a=lin(), b=lin())
    model.register_buffer("c", torch.ones(8))
    return model
