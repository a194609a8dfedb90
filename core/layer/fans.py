"""FanRule: the std of weights by the sizes of a layer, whatever law they are drawn from."""

from __future__ import annotations

from typing import NamedTuple

from .activations import Activation
from .initializer import WeightStd


class FanRule(NamedTuple):
    """A rule for the std of the weights.

    Attributes:
        std: (fan_in, fan_out, activation) -> the std.
        code: the same as an expression, with the names of `Initializer.code`; empty for 1.
    """

    std: WeightStd
    code: str


def _unit(fan_in: int, fan_out: int, activation: Activation) -> float:
    return 1.0


def _lecun(fan_in: int, fan_out: int, activation: Activation) -> float:
    return (1 / fan_in) ** 0.5


def _xavier(fan_in: int, fan_out: int, activation: Activation) -> float:
    return (2 / (fan_in + fan_out)) ** 0.5


def _kaiming(fan_in: int, fan_out: int, activation: Activation) -> float:
    return (2 / fan_in) ** 0.5


def _kaiming_fan_out(fan_in: int, fan_out: int, activation: Activation) -> float:
    return (2 / fan_out) ** 0.5


def _critical(fan_in: int, fan_out: int, activation: Activation) -> float:
    return activation.gain * (1 / fan_in) ** 0.5


UNIT = FanRule(_unit, "")
LECUN = FanRule(_lecun, "(1 / {fan_in}) ** 0.5")
XAVIER = FanRule(_xavier, "(2 / ({fan_in} + {fan_out})) ** 0.5")
KAIMING = FanRule(_kaiming, "(2 / {fan_in}) ** 0.5")
KAIMING_FAN_OUT = FanRule(_kaiming_fan_out, "(2 / {fan_out}) ** 0.5")
CRITICAL = FanRule(_critical, "({gain} * (1 / {fan_in}) ** 0.5)")
