"""What a module is: its role, which axis of its output has the units, and its activation."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from ..layer.activations import Activation
from ..layer.named_activation import activation_of
from ..layer.refused import RefusedError

Role = Literal["matrix", "embedding", "norm", "activation", "attention", "recurrent", "other"]

_NORMS = (_NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, nn.LocalResponseNorm)
_INERT = (nn.Identity, nn.Flatten, nn.Unflatten, nn.modules.dropout._DropoutNd)


def is_watched(module: nn.Module) -> bool:
    """Whether a module's output is measured: it has parameters of its own, or no module inside."""
    has_parameters = any(each is not None for each in module._parameters.values())
    is_leaf = next(module.children(), None) is None
    return (has_parameters or is_leaf) and not is_inert(module)


def is_whole(module: nn.Module) -> bool:
    """Whether what happens inside of a module is its own affair, for it calls no other module."""
    return next(module.children(), None) is None or role_of(module) in ("attention", "recurrent")


def is_inert(module: nn.Module) -> bool:
    """Whether a module hands on what it gets, but for its shape and for dropout."""
    return isinstance(module, _INERT)


def role_of(module: nn.Module) -> Role:
    """What a module does."""
    if isinstance(module, (nn.Embedding, nn.EmbeddingBag)):
        return "embedding"
    if isinstance(module, _NORMS):
        return "norm"
    if isinstance(module, nn.MultiheadAttention):
        return "attention"
    if isinstance(module, nn.RNNBase):
        return "recurrent"
    if any(each is not None and each.dim() > 1 for each in module._parameters.values()):
        is_whole = next((each for child in module.children() for each in child.parameters()), None)
        return "matrix" if is_whole is None else "other"
    is_activation = type(module).__module__ == "torch.nn.modules.activation"
    return "activation" if is_activation else "other"


def phi_of(module: nn.Module) -> Activation | None:
    """The activation that a module applies; None if it is not one of ours."""
    name: str | None = type(module).__name__.casefold()
    if role_of(module) != "activation":
        name = None
    elif isinstance(module, nn.GELU):
        name = "gelu_tanh" if module.approximate == "tanh" else "gelu"
    elif isinstance(module, nn.LeakyReLU):
        name = f"leaky_relu({module.negative_slope})"
    elif isinstance(module, nn.ELU):
        name = f"elu({module.alpha})"
    elif isinstance(module, nn.Hardtanh):
        name = f"min(max(x, {module.min_val}), {module.max_val})"
    try:
        return None if name is None else activation_of(name)
    except RefusedError:
        return None


def unit_axis(module: nn.Module, output: Tensor, before: int) -> int:
    """The axis of an output along which its units lie.

    That of convolutions and of their norms is 1, and that of other matrices the last. A module
    without parameters has the axis of the module before it.

    Args:
        module: whose output it is.
        output: of any shape.
        before: the axis of the module before; 1 or −1.
    """
    if isinstance(module, (_ConvNd, _NormBase, nn.GroupNorm)):
        axis = 1
    elif module._parameters:
        axis = -1
    else:
        axis = before
    return axis if output.dim() > axis else -1
