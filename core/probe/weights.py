"""Weight: a parameter of a module, and the gradient of a loss with respect to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvTransposeNd

from .fields import Count, Name, Octaves, Some
from .signal import Signal, log2_rms_of, mean_octaves, mean_of


@dataclass(frozen=True)
class Weight:
    """A parameter.

    Attributes:
        name: in its module, such as "weight".
        shape: of the tensor.
        log2_rms: log2 of its root mean square; −inf where all of it is zero.
        gradient: the sizes of its gradient; None where none arrives.
        needs_gradient: whether it is to be trained.
        fan_in: how many inputs each of its outputs adds up; None for a vector.
        is_constant: whether all its numbers are the same.
        is_symmetric: whether it and its gradient give every unit the same numbers, so that none
            learns another thing than the next; for a matrix with several units that is trained.
    """

    name: Name
    shape: tuple[Count, ...]
    log2_rms: Octaves
    gradient: Signal | None
    needs_gradient: bool
    fan_in: Some | None
    is_constant: bool
    is_symmetric: bool

    @classmethod
    def of(cls, name: str, module: nn.Module, tensor: Tensor, gradient: Tensor | None) -> Weight:
        """A parameter of a module, and its gradient if there is one."""
        values = tensor.detach()
        values = values.abs() if values.is_complex() else values
        values = values.float() if values.element_size() == 1 else values
        if gradient is not None:
            gradient = gradient.to_dense() if gradient.is_sparse else gradient
            gradient = gradient.abs() if gradient.is_complex() else gradient
        units = units_first(module, values) if values.dim() > 1 else values.reshape(1, -1)
        return cls(
            name=name,
            shape=tuple(values.shape),
            log2_rms=log2_rms_of(values) if values.numel() else float("nan"),
            gradient=Signal.of(gradient) if gradient is not None and gradient.numel() else None,
            needs_gradient=tensor.requires_grad,
            fan_in=units[0].numel() if values.dim() > 1 and values.numel() else None,
            is_constant=_are_alike(values.reshape(-1)),
            is_symmetric=tensor.requires_grad
            and len(units) > 1
            and _are_alike(units)
            and (gradient is None or _are_alike(units_first(module, gradient))),
        )

    @classmethod
    def mean_of(cls, weights: Sequence[Weight]) -> Weight:
        """A parameter over several seeds: means of logarithms, and what holds in all of them."""
        gradients = [each.gradient for each in weights if each.gradient is not None]
        return replace(
            weights[0],
            log2_rms=mean_octaves([each.log2_rms for each in weights]),
            gradient=mean_of(gradients) if gradients else None,
            is_constant=all(w.is_constant for w in weights),
            is_symmetric=all(w.is_symmetric for w in weights),
        )


def _are_alike(units: Tensor) -> bool:
    """Whether the first axis repeats one thing; two that differ are mostly found at once."""
    return bool((units[:2] == units[:1]).all()) and bool((units == units[:1]).all())


def units_first(module: nn.Module, weight: Tensor) -> Tensor:
    """The weight with the axis of its output units first, as most modules have it anyway."""
    is_transposed = isinstance(module, _ConvTransposeNd) or type(module).__name__ == "Conv1D"
    return weight.transpose(0, 1) if is_transposed else weight
