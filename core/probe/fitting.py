"""What to multiply each matrix by, so that its output has the size wanted: LSUV in one pass.

Reference: Mishkin & Matas 2016, All you need is a good init, arXiv:1511.06422.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import torch
from torch import Tensor, nn

from ..text import significant
from .calling import anew, called
from .fields import Name, Positive, Real
from .layout import role_of
from .recorder import Recorder, first_floating
from .signal import log2_rms_of
from .weights import units_first

TOLERANCE = 0.1
"""The largest |variance − 1| of an output that is left as it is."""
_ALIKE = log(1.1)
_LOGITS = 0.5
_GAINS = {
    "kaiming_normal, √(2/fan_in)": sqrt(2),
    "LeCun's, 1/√fan_in": 1.0,
    "PyTorch's default, 1/√(3·fan_in)": 1 / sqrt(3),
    "gain of tanh, 5/3/√fan_in": 5 / 3,
}
_MOST = 10  # multiplications: a bias is not multiplied, so that one may not be enough


@dataclass(frozen=True)
class Factor:
    """What a weight is multiplied by.

    Attributes:
        parameter: its path in the model.
        factor: what brings its module's output to the size wanted; 1 where it has it already.
        wanted: the rms of that output: 1, or 1/√B for the last matrix of one of B branches.
        gain: the std of the multiplied weight times √fan_in: √2 is He's, 1 is LeCun's.
    """

    parameter: Name
    factor: Positive
    wanted: Positive
    gain: Real

    @property
    def rule(self) -> str:
        """The usual rule that draws weights of that size, to a tenth; else the gain itself."""
        near = {name: abs(log(self.gain / gain)) for name, gain in _GAINS.items() if self.gain > 0}
        name = min(near, key=near.__getitem__, default="")
        if name and near[name] < _ALIKE:
            return name
        return f"std {significant(self.gain)}/√fan_in"


def fit(model: nn.Module, batch: Any, wanted: Mapping[str, float]) -> tuple[Factor, ...]:
    """Multiply the weights of a model, in the order of execution, and return by what.

    Each matrix sees the outputs of those that were fitted before it: the output is computed anew
    with the fitted weight, and goes on to the next. A module that is called several times is fitted
    at its first call, and a weight that several modules share by the first of them.

    Args:
        model: its weights are changed in place.
        batch: what it is called with.
        wanted: path of a module -> the rms that its output is to have; the others are left alone.
    """
    found: list[Factor] = []
    names = {module: name for name, module in model.named_modules()}
    done: set[int] = set()

    def scale(module: nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
        weight = weight_of(module)
        if weight is None or id(weight) in done:
            return None
        done.add(id(weight))
        size, total = wanted[names[module]], 1.0
        for _ in range(_MOST):
            y = first_floating(output)
            factor = 1.0 if y is None else _factor(y, size)
            if factor == 1.0:
                break
            with torch.no_grad():
                weight.mul_(factor)
            total *= factor
            output = module.forward(*args, **kwargs)
        gain = 2 ** log2_rms_of(weight) * sqrt(units_first(module, weight)[0].numel())
        found.append(Factor(_path(names[module], module, weight), total, size, gain))
        return output

    fitted = [module for module in names if names[module] in wanted]
    handles = [each.register_forward_hook(scale, with_kwargs=True) for each in fitted]
    try:
        with torch.no_grad():
            called(model, anew(batch))
    finally:
        for handle in handles:
            handle.remove()
    return tuple(found)


def weight_of(module: nn.Module) -> Tensor | None:
    """The matrix of a module that makes its output; None where it is not one of these."""
    weight = module._parameters.get("weight")
    return weight if role_of(module) == "matrix" and weight is not None else None


def _path(name: str, module: nn.Module, weight: Tensor) -> str:
    [key] = [key for key, each in module._parameters.items() if each is weight]
    return f"{name}.{key}" if name else key


def _factor(y: Tensor, wanted: float) -> float:
    """What an output has to be multiplied by; 1 where its size is right, zero or not finite."""
    size = log2_rms_of(y)
    if not -torch.inf < size < torch.inf:
        return 1.0
    ratio = 2**size / wanted
    return 1.0 if abs(ratio**2 - 1) < TOLERANCE else float(1 / ratio)


def wanted_sizes(recorder: Recorder, *, chooses: bool) -> dict[str, float]:
    """The rms that the output of each matrix is to have; none where a norm comes right after it.

    It is 1, so that an activation behind it is neither saturated nor idle, and 1/√B at the end of a
    branch, where B branches are added to streams: all of them together add about 1. Logits are at
    most 1/2, for the loss of a model that is sure of nothing is ln C.

    Args:
        recorder: of the model as it is.
        chooses: whether its outputs are logits.
    """
    ends = {each.after for each in recorder.additions}
    at_end = max(1, len(ends)) ** -0.5
    wanted: dict[str, float] = {}
    follows = [call.role for call in recorder.calls[1:]] + ["other"]
    for k, (call, after) in enumerate(zip(recorder.calls, follows, strict=True), start=1):
        if call.module is None or weight_of(call.module) is None:
            continue
        if after == "norm" and k not in ends:
            continue
        wanted.setdefault(call.name, at_end if k in ends else 1.0)
    last = recorder.calls[-1] if recorder.calls else None
    if chooses and last is not None and last.name in wanted:
        wanted[last.name] = min(_LOGITS, 2**last.output.log2_rms) or _LOGITS
    return wanted
