"""Recorder: what happens in a model's modules while it runs, there and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from ..layer.activations import Activation
from ..layer.named_activation import activation_of
from ..layer.refused import RefusedError
from ..statistics.units import flat_share
from .fields import Count, Name, Octaves
from .layout import Role, is_inert, is_watched, is_whole, phi_of, role_of, unit_axis
from .signal import Signal, log2_rms_of

MOST_CALLS = 4000
"""Calls that are recorded; those after them are counted alone."""
_ADDITIONS = {"add", "add_", "__add__", "__iadd__", "__radd__"}
_FUNCTIONS = {"relu", "relu_", "gelu", "silu", "tanh", "sigmoid", "selu", "softplus"}


@dataclass
class Call:
    """One call of a module, or of an activation as a function.

    Attributes:
        name: the module's path in the model; of a function, that of the module that calls it, and
            the function's own.
        kind: the class of the module, or the function.
        role: what it does.
        shape: of its output.
        dtype: of its output, such as "float32".
        module: the module; None for a function.
        output: the sizes of its output.
        gradient: those of the gradient of the output; None where none arrives.
        dead: the share of its units that are zero for every input; None unless an activation.
        flat: the share of its elements with |φ′| < 0.06; None unless an activation that we know.
    """

    name: str
    kind: str
    role: Role
    shape: tuple[int, ...]
    dtype: str
    module: nn.Module | None
    output: Signal
    gradient: Signal | None = None
    dead: float | None = None
    flat: float | None = None


@dataclass(frozen=True)
class Addition:
    """A branch that is added to a stream.

    Attributes:
        after: how many calls came before.
        name: the path of the module that adds.
        log2_stream, log2_branch, log2_sum: log2 of the rms of both and of their sum.
    """

    after: Count
    name: Name
    log2_stream: Octaves
    log2_branch: Octaves
    log2_sum: Octaves


class Recorder(TorchFunctionMode):
    """Records every call of a watched module, and every addition of two tensors of one shape.

    Args:
        model: whose modules are watched, between entering and leaving.

    Attributes:
        calls: in the order of execution.
        additions: likewise.
        missed: calls beyond MOST_CALLS.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.additions: list[Addition] = []
        self.missed = 0
        self._names = {module: name for name, module in model.named_modules()}
        self._handles: list[Any] = []
        self._inside: list[nn.Module] = []
        self._before: dict[nn.Module, Tensor | None] = {}
        self._paused = False
        self._axis = -1
        self._age: Any = WeakTensorKeyDictionary()
        self._sums: Any = WeakTensorKeyDictionary()
        self._deep: Any = WeakTensorKeyDictionary()

    @property
    def place(self) -> str:
        """The path of the module that runs; "" outside of all."""
        return self._names[self._inside[-1]] if self._inside else ""

    def __enter__(self) -> Recorder:
        for module in self._names:
            self._handles += [
                module.register_forward_pre_hook(self._begin, with_kwargs=True),
                module.register_forward_hook(self._end, with_kwargs=True),
            ]
        super().__enter__()  # type: ignore[no-untyped-call]
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)  # type: ignore[no-untyped-call]
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Record nothing meanwhile: what we compute ourselves, or what is computed once more."""
        before, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = before

    def _begin(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        if self._paused:
            return
        self._inside.append(module)
        if getattr(module, "inplace", False):
            with self.pause():
                h = first_floating((args, kwargs))
                self._before[module] = None if h is None else h.detach().clone()

    def _end(self, module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        if self._paused or module not in self._inside:
            return
        while self._inside.pop() is not module:  # a module whose forward raised, and was caught
            pass
        y = first_floating(output)
        if y is None:
            return
        with self.pause():
            if is_watched(module):
                h = self._before.pop(module, None)
                h = first_floating((args, kwargs)) if h is None else h
                self._record(self._names[module], type(module).__name__, module, h, y)
            if is_watched(module) or is_inert(module):
                self._age[y] = len(self.calls)
                self._deep[y] = self._most(self._deep, (args, kwargs)) + 1

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        kwargs = kwargs or {}
        if self._paused:
            return func(*args, **kwargs)
        if name not in _ADDITIONS and name not in _FUNCTIONS:
            y = func(*args, **kwargs)
            if isinstance(y, Tensor) and y.is_floating_point():
                with self.pause():
                    self._age[y] = self._most(self._age, args)
                    self._deep[y] = self._most(self._deep, args)
            return y
        if name in _ADDITIONS:
            return self._added(func, args, kwargs)
        h = first_floating(args)
        phi = None if self._is_in_leaf else _phi_named(name.rstrip("_"))
        with self.pause():
            before = None if h is None or phi is None else h.detach().clone()
        y = func(*args, **kwargs)
        if before is not None and isinstance(y, Tensor):
            with self.pause():
                self._record(self._joined(name.rstrip("_")), name.rstrip("_"), None, before, y)
                self._age[y] = len(self.calls)
                self._deep[y] = self._most(self._deep, args) + 1
        return y

    def _most(self, of: Any, args: Any) -> int:
        """The largest of what is known of the tensors among some arguments."""
        return max(
            (of.get(each, 0) for each in leaves(args) if isinstance(each, Tensor)), default=0
        )

    @property
    def _is_in_leaf(self) -> bool:
        return bool(self._inside) and is_whole(self._inside[-1])

    def _joined(self, name: str) -> str:
        return f"{self.place}.{name}()" if self.place else f"{name}()"

    def _record(
        self, name: str, kind: str, module: nn.Module | None, h: Tensor | None, y: Tensor
    ) -> None:
        if len(self.calls) >= MOST_CALLS:
            self.missed += 1
            return
        if y.numel() == 0:
            return
        role: Role = "activation" if module is None else role_of(module)
        if module is not None:
            self._axis = unit_axis(module, y, self._axis)
        values = y.detach()
        call = Call(name, kind, role, tuple(y.shape), _name_of(y.dtype), module, Signal.of(values))
        if role == "activation":
            call.dead = dead_share(values, self._axis)
            phi = _phi_named(kind) if module is None else phi_of(module)
            if phi is not None and h is not None and h.numel() == y.numel():
                call.flat = float(flat_share(phi, [h.detach().reshape(-1)])[0])
        self.calls.append(call)
        if y.requires_grad:
            see = self._seeing_gradient_of(call)
            self._handles.append(y.register_hook(see))  # type: ignore[no-untyped-call]

    def _seeing_gradient_of(self, call: Call) -> Callable[[Tensor], None]:
        def see(gradient: Tensor) -> None:
            with self.pause():
                call.gradient = Signal.of(gradient)

        return see

    def _added(self, func: Any, args: Any, kwargs: Any) -> Any:
        pair = [each for each in args[:2] if isinstance(each, Tensor)]
        alike = len(pair) == 2 and pair[0].shape == pair[1].shape and pair[0].dim() > 1
        if not alike or not all(each.is_floating_point() for each in pair) or self._is_in_leaf:
            return func(*args, **kwargs)
        with self.pause():
            if not pair[0].numel():
                return func(*args, **kwargs)
            stream, branch = sorted(pair, key=self._is_branch)
            into, added = log2_rms_of(stream), log2_rms_of(branch)
        total = func(*args, **kwargs)
        if max(into, added) == float("inf"):  # a mask, or what has overflowed before
            return total
        if len(self.additions) >= MOST_CALLS:
            self.missed += 1
            return total
        with self.pause():
            after = len(self.calls)
            size = log2_rms_of(total)
            self.additions.append(Addition(after, self.place, into, added, size))
            self._age[total], self._sums[total] = after, True
        return total

    def _is_branch(self, operand: Tensor) -> tuple[bool, bool, int, int]:
        """How much an operand looks like a branch: all zero, no sum itself, deep, computed last."""
        return (
            not operand.any(),
            operand not in self._sums,
            int(self._deep.get(operand, 0)),
            int(self._age.get(operand, 0)),
        )


def first_floating(values: Any) -> Tensor | None:
    """The first tensor of real floating numbers in tuples, lists, dicts and dataclasses."""
    for each in leaves(values):
        if isinstance(each, Tensor) and each.is_floating_point():
            return each
    return None


def leaves(values: Any) -> Iterable[Any]:
    """What is inside of nested tuples, lists, dicts and dataclasses, in order."""
    for each in tree_leaves(values):
        if isinstance(each, Mapping):
            yield from leaves(list(each.values()))
        elif hasattr(each, "__dataclass_fields__") and not isinstance(each, type):
            yield from leaves([getattr(each, name) for name in each.__dataclass_fields__])
        else:
            yield each


def dead_share(y: Tensor, axis: int) -> float:
    """The share of the units along an axis that are exactly zero everywhere else."""
    others = [k for k in range(y.dim()) if k != axis % y.dim()]
    silent = (y == 0).all(dim=others) if others else y == 0
    return float(silent.double().mean())


def _phi_named(name: str) -> Activation | None:
    try:
        return activation_of(name)
    except RefusedError:
        return None


def _name_of(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
