"""Specimen: a network that everybody knows, with a few controls, built from torch.nn alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..layer.operation import MICROSECOND, Cost
from ..text import shown

_BYTES = 4  # of a number
_COPIES = 3  # of the weights: themselves, their gradients, and what is being measured
_PRODUCTS = 0.1  # of the units, for many multiply-adds run at once
_WEIGHT, _MEASURED = 0.012, 0.02  # microseconds, of a weight and of what modules give
Values = Mapping[str, str]


@dataclass(frozen=True)
class Control:
    """A choice in how a specimen is built.

    Attributes:
        name: of the keyword; travels in links, never renamed.
        label: of the widget.
        choices: text -> label.
        help: what it changes, in a sentence.
        usual: the usual choice; "" where it is the first.
    """

    name: str
    label: str
    choices: Mapping[str, str]
    help: str
    usual: str = ""

    @property
    def default(self) -> str:
        """The usual choice."""
        return self.usual or next(iter(self.choices))


@dataclass(frozen=True)
class Specimen:
    """A network that everybody knows.

    Attributes:
        name: registry key; travels in links, never renamed.
        title: what it is called.
        about: what there is to see, in a sentence or two.
        controls: in how it is built.
        build: of the values of the controls; draws from torch's random state.
        batch: input and labels, of random numbers.
        classes: among how many it chooses.
        positions: how often each weight is used on this batch, on average.
        inside: bytes of what its modules give for this batch, at most, and their gradients.
    """

    name: str
    title: str
    about: str
    controls: tuple[Control, ...]
    build: Callable[[Values], nn.Module]
    batch: Callable[[torch.Generator], tuple[Tensor, Tensor]]
    positions: float
    inside: int

    def whole(self, values: Values) -> dict[str, str]:
        """The value of every control, the usual ones where they are not given.

        Raises:
            ValueError: a value is not allowed; names the control.
        """
        found = {}
        for control in self.controls:
            value = values.get(control.name, control.default)
            if value not in control.choices:
                raise ValueError(
                    f"{control.name} must be one of {', '.join(control.choices)}, "
                    f"got {shown(value)}"
                )
            found[control.name] = value
        return found

    def cost(self, values: Values, seeds: int) -> Cost:
        """The memory and the work of a check, estimated from above without any weights.

        Args:
            values: of all controls.
            seeds: how often it is built.
        """
        with torch.device("meta"):
            weights = sum(each.numel() for each in self.build(values).parameters())
        runs = seeds + 2  # the factors, and what they give
        products = 3.0 * weights * self.positions  # there, and back to inputs and weights
        measured = _WEIGHT * weights + _MEASURED * self.inside / _BYTES
        work = _PRODUCTS * products + measured * MICROSECOND
        return Cost(_COPIES * _BYTES * weights + self.inside, runs * work)
