"""The arithmetic of ensembles and of the scale-free run: numbers near 1, powers of two apart."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..maths.arrays import log2
from .activations import Activation
from .arithmetic import Normalization
from .tails import FAR, derivative_far_powers, far_powers, infinite_sides

_ROOM = 60  # log2 of the largest number whose squares add up in float32
_USUAL = (-20.0, 2.0)  # log2 of |h| where φ(h) and φ′(h) are nowhere near the ends of that range


class Reach(NamedTuple):
    """The largest value of each network whose overflow would make x non-finite.

    Attributes:
        largest: float64 of shape (networks,), without its power of two.
        power: float64 of shape (networks,): the true values are largest·2^power.
    """

    largest: Tensor
    power: Tensor

    def or_larger(self, other: Reach) -> Reach:
        """The larger of the two, network by network."""
        larger = other.largest.log2() + other.power > self.largest.log2() + self.power
        pairs = zip(self, other, strict=True)
        return Reach(*(torch.where(larger, two, one) for one, two in pairs))


class ScaledNumbers(NamedTuple):
    """The signals of several networks, as numbers near 1 times a power of two for each network.

    Attributes:
        numbers: float32 or float64 of shape (networks, n, inputs).
        power: float64 of shape (networks,): the true values are numbers·2^power.
        reach_before: the reach of the pre-activations, if φ has been applied to them; else None.
    """

    numbers: Tensor
    power: Tensor
    reach_before: Reach | None = None

    @classmethod
    def of(cls, numbers: Tensor) -> ScaledNumbers:
        """``numbers`` of shape (networks, n, inputs) times 2^0."""
        return cls(numbers, torch.zeros(len(numbers), dtype=torch.float64))

    @property
    def reach(self) -> Reach:
        """The largest pre-activation that could overflow; without a φ, the largest number."""
        return self.own_reach if self.reach_before is None else self.reach_before

    @property
    def own_reach(self) -> Reach:
        """The largest number."""
        return Reach(_largest(self.numbers, below=True, above=True), self.power)

    def made_of(self, *parts: ScaledNumbers) -> ScaledNumbers:
        """The same values; what could overflow on the way to them counts too.

        Args:
            parts: what they were made of.
        """
        before = [part.reach_before for part in parts if part.reach_before is not None]
        if not before:
            return self
        reach = self.reach
        for each in before:
            reach = reach.or_larger(each)
        return self._replace(reach_before=reach)

    @property
    def with_zeros(self) -> ScaledNumbers:
        """The same values; a network whose power is −∞ has zeros, and the power 0."""
        dead = self.power.isneginf()
        if not bool(dead.any()):
            return self
        numbers = torch.where(dead.view(-1, 1, 1), 0.0, self.numbers)
        return ScaledNumbers(numbers, torch.where(dead, 0.0, self.power), self.reach_before)

    def near_one(self, largest: Tensor | None = None) -> ScaledNumbers:
        """The same values, with the largest |number| of each network in [½, 1); zeros stay.

        Args:
            largest: the largest |number| of each network, if it is known.
        """
        x = self.numbers
        known = _largest(x, below=True, above=True) if largest is None else largest
        power = torch.frexp(known).exponent
        least = 1 - math.frexp(torch.finfo(x.dtype).max)[1]  # 2^−least still is in the range
        near = _raised(x, -power.clamp_min(least))
        if bool((power < least).any()):
            near = _raised(near, (least - power).clamp_min(0))
        return ScaledNumbers(near, self.power + power, self.reach_before)

    def plus(self, other: ScaledNumbers) -> ScaledNumbers:
        """The sum of two signals of the same networks."""
        one, two = self.with_zeros, other.with_zeros
        dead = self.power.isneginf(), other.power.isneginf()
        # A signal that is zero must not decide the power of the sum.
        first = torch.where(dead[0], two.power, one.power)
        second = torch.where(dead[1], one.power, two.power)
        common = torch.maximum(first, second)
        numbers = one.numbers * powers(first - common) + two.numbers * powers(second - common)
        return ScaledNumbers(numbers, common).near_one()

    def held_at(self, most: float) -> ScaledNumbers:
        """The same values, those beyond ±most replaced by ±most."""
        octaves = math.log2(most)
        above = _largest(self.numbers, below=True, above=True).log2() + self.power > octaves
        if not bool(above.any()):
            return self
        # In units of most; beyond 2^100 of them every number that is not zero is cut off.
        units = self.numbers * powers((self.power - octaves).clamp_max(100.0))
        numbers = torch.where(above.view(-1, 1, 1), units.clamp(-1, 1), self.numbers)
        power = torch.where(above, octaves, self.power)
        return ScaledNumbers(numbers, power, self.reach_before)


def powers(exponents: Tensor) -> Tensor:
    """2^exponents for a tensor of shape (networks,), as factors of shape (networks, 1, 1)."""
    return torch.exp2(exponents).float().view(-1, 1, 1)


def _columns_raised(numbers: Tensor, exponents: Tensor) -> ScaledNumbers:
    """numbers·2^exponents, for exponents of their own for each input or each unit."""
    exponents = exponents.expand(len(numbers), *exponents.shape[1:])
    most = exponents.amax((1, 2))
    return ScaledNumbers(numbers * torch.exp2(exponents - most.view(-1, 1, 1)).float(), most)


def _raised(x: Tensor, exponents: Tensor) -> Tensor:
    """x·2^exponents, for whole exponents of shape (networks,) that x's dtype has."""
    return x * torch.ldexp(torch.ones(len(x), dtype=x.dtype), exponents).view(-1, 1, 1)


def _largest(h: Tensor, *, below: bool, above: bool) -> Tensor:
    """Per network, the largest |h| on the named sides of zero; 0 if there is none."""
    flat = h.flatten(1)
    if above and below:
        return torch.maximum(flat.amax(1), -flat.amin(1)).double()
    if above or below:
        return (flat.amax(1) if above else -flat.amin(1)).double().clamp_min(0)
    return torch.zeros(len(h), dtype=torch.float64)


class Scaled:
    """Arithmetic on `ScaledNumbers`: each network has a power of two beside its float32 numbers.

    Nothing overflows or vanishes at any depth where φ grows no faster than its argument. A φ that
    squares can make numbers beyond 2^64 in one layer, whose own squares float32 does not hold: the
    sizes are then infinite some layers too early. ``out`` is ignored.

    Args:
        near: whether φ's results are brought near 1 wherever their squares leave the range of
            float32. Then nothing overflows with any φ, and nothing small is lost. An ensemble
            without gradients does without, for links of old show the numbers that they had.
    """

    def __init__(self, *, near: bool = False) -> None:
        self._near = near

    def product(self, a: Any, x: ScaledNumbers, out: ScaledNumbers | None = None) -> ScaledNumbers:
        """a @ x, for the matrix of a single network or for the products of many.

        Args:
            a: the matrix, shape (n, n), or an object from `in_law` with the method ``times``.
            x: the signals of that network, or of these networks.
            out: ignored.
        """
        if not isinstance(a, Tensor):
            product: ScaledNumbers = a.times(x)
            return product.made_of(x)
        _, n, inputs = x.numbers.shape
        one = torch.mv(a, x.numbers.view(n)) if inputs == 1 else torch.mm(a, x.numbers[0])
        return ScaledNumbers(one.view(1, -1, inputs), x.power).made_of(x)

    def add(self, x: ScaledNumbers, b: Any, out: ScaledNumbers | None = None) -> ScaledNumbers:
        """x + b, for the `Biases` b of the same networks."""
        bias: ScaledNumbers = b.drawn(x)
        common = torch.maximum(x.power, bias.power)
        numbers = x.numbers * powers(x.power - common) + bias.numbers * powers(bias.power - common)
        return ScaledNumbers(numbers, common).made_of(x)

    def add_branch(
        self, x: ScaledNumbers, y: ScaledNumbers, factor: float, out: ScaledNumbers | None = None
    ) -> ScaledNumbers:
        """x + factor·y."""
        return x.plus(self.multiplied(y, factor)).made_of(y)

    def multiplied(self, x: ScaledNumbers, factor: float) -> ScaledNumbers:
        """factor·x."""
        return x._replace(power=x.power + log2(factor))

    def normalize(self, x: ScaledNumbers, by: Normalization) -> tuple[ScaledNumbers, Tensor]:
        """x normalised, and log2 of the reciprocals of the standard deviations."""
        axis = 2 if by.over_inputs else 1
        numbers, power, _ = x.with_zeros.near_one()
        if by.centred:
            numbers = numbers - numbers.mean(axis, keepdim=True)
        square = numbers.square().mean(axis, keepdim=True).double().log2()
        power = power.view(-1, 1, 1)
        epsilon = torch.full_like(square, math.log2(by.epsilon))
        inverse = -torch.logaddexp2(square + 2 * power, epsilon) / 2
        found = _columns_raised(numbers, power + inverse)
        # What is not zero is at most √n; zeros may have come with any power.
        found = found._replace(power=found.power.clamp_max(_ROOM))
        return found._replace(reach_before=x.own_reach).made_of(x), inverse

    def normalize_backward(
        self, x: ScaledNumbers, inverse: Tensor, g: ScaledNumbers, by: Normalization
    ) -> ScaledNumbers:
        """inverse·(g − mean g − x·mean(x·g))."""
        axis = 2 if by.over_inputs else 1
        numbers, power, _ = g.with_zeros.near_one()
        normal = x.numbers * powers(x.power)
        along = normal * (normal * numbers).mean(axis, keepdim=True)
        if by.centred:
            numbers = numbers - numbers.mean(axis, keepdim=True)
        return _columns_raised(numbers - along, power.view(-1, 1, 1) + inverse).near_one()

    def narrowed(self, x: ScaledNumbers, out: ScaledNumbers | None = None) -> ScaledNumbers:
        """x as it is."""
        return x

    def taken(self, x: ScaledNumbers) -> ScaledNumbers:
        """x without what could overflow in the layer before."""
        return x if x.reach_before is None else x._replace(reach_before=None)

    def apply(
        self, phi: Activation, x: ScaledNumbers, out: ScaledNumbers | None = None
    ) -> ScaledNumbers:
        """φ(x); where x's power is beyond ±40, φ is replaced by the power law it follows there."""
        return _scaled(phi)(x, near=self._near).made_of(x)

    def stored(self, x: ScaledNumbers) -> ScaledNumbers:
        """x as it is: nothing is rounded to a format."""
        return x

    def loaded(self, g: ScaledNumbers) -> ScaledNumbers:
        """g as it is."""
        return g

    def transposed_product(self, a: Any, g: ScaledNumbers) -> ScaledNumbers:
        """aᵀ @ g, for the matrix or the object from `in_law` that made a @ x."""
        if not isinstance(a, Tensor):
            product: ScaledNumbers = a.times_transposed(g)
            return product
        return self.product(a.mT, g.with_zeros.near_one())

    def apply_backward(self, phi: Activation, h: ScaledNumbers, g: ScaledNumbers) -> ScaledNumbers:
        """φ′(h)·g; where h's power is beyond ±40, φ′ is replaced by the power law it follows."""
        return _scaled(phi).backward(h, g)


class _ScaledActivation:
    """φ(h·2^e) without forming h·2^e: beyond 2^±40, φ is replaced by its power law there."""

    def __init__(self, phi: Activation) -> None:
        self.phi = phi
        self.below, self.above = infinite_sides(phi)
        self.low, self.high = far_powers(phi)
        self.derivative_powers = derivative_far_powers(phi)

    def __call__(self, x: ScaledNumbers, *, near: bool) -> ScaledNumbers:
        """φ(h·2^e), for h·2^e = x; see `Scaled` for ``near``."""
        h, exponent = x.numbers, x.power
        reach = Reach(_largest(h, below=self.below, above=self.above), exponent)
        if self.phi.positively_homogeneous:
            return ScaledNumbers(self.phi(h), exponent, reach)
        at = exponent.clamp(-FAR, FAR)
        above, below = (exponent - FAR).clamp_min(0), (exponent + FAR).clamp_max(0)
        shift = (self.high * above if self.high else 0) + (self.low * below if self.low else 0)
        power = torch.zeros_like(exponent) + shift
        found = self.phi(h * powers(at))
        if near and not bool(_is_usual(exponent).all()):
            largest = _largest(found, below=True, above=True)
            far = ~((largest > 2.0**-_ROOM) & (largest < 2.0**_ROOM))
            if bool(far.any()):  # their squares, or they themselves, leave the range of float32
                exact = self.phi(h[far].double() * powers(at[far]))
                numbers, power[far], _ = ScaledNumbers(exact, power[far]).near_one()
                found[far] = numbers.to(found.dtype)
        return ScaledNumbers(found, power, reach)

    def backward(self, x: ScaledNumbers, g: ScaledNumbers) -> ScaledNumbers:
        """φ′(h·2^e)·g, for h·2^e = x."""
        h, exponent, _ = x.with_zeros
        if self.phi.positively_homogeneous:
            return ScaledNumbers(self.phi.backward(h, g.numbers), g.power).near_one()
        low, high = self.derivative_powers
        above, below = (exponent - FAR).clamp_min(0), (exponent + FAR).clamp_max(0)
        shift = (high * above if high else 0) + (low * below if low else 0)
        numbers = g.numbers
        if not bool(_is_usual(exponent).all()):  # φ′ may be beyond float32 where δ is not
            h, numbers = h.double(), numbers.double()
        found = self.phi.backward(h * powers(exponent.clamp(-FAR, FAR)), numbers)
        near = ScaledNumbers(found, g.power + shift).near_one()
        return near._replace(numbers=near.numbers.to(g.numbers.dtype))


def _is_usual(exponent: Tensor) -> Tensor:
    low, high = _USUAL
    return (exponent >= low) & (exponent <= high)


@lru_cache(maxsize=64)
def _scaled(phi: Activation) -> _ScaledActivation:
    return _ScaledActivation(phi)
