"""An activation from a formula that a viewer typed: checked, with its derivative and its kinks."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ..maths.arrays import Array
from ..maths.quadrature import TensorFunction, gaussian_expectation_at
from ..text import significant
from .activations import Activation
from .expression import RefusedError, compiled, read
from .expression_latex import latex

TYPED = "typed by hand"
"""The reference of every activation that comes from a formula."""

_MICROSECONDS = 0.0002  # of one element, for each part of a formula
_MICROSECONDS_OF_CALL = 0.004  # for each function in it
_MOST_KINKS = 12
_LARGEST_POWER = 4.0  # of |x| that φ may follow far from zero: E φ⁴ is computed up to |x| = 2^34
_FAR = 60  # log2 of the |x| at which the powers of |x| that φ follows are measured
_CLOSE = 1e-6  # relative: quadratures that differ by less are taken as right
_VARIANCES = np.array([1e-4, 1e-2, 0.25, 1.0, 4.0, 16.0])
# Places at which quadrature is cut as well where φ changes more quickly than within 1.
_CUTS: tuple[tuple[float, ...], ...] = (
    (),
    tuple(side * 4.0**-k for side in (-1, 1) for k in (1, 2, 3)),
    tuple(side * 4.0**-k for side in (-1, 1) for k in (1, 2, 3, 4, 5)),
    (-12.0, -8.0, -6.0, -3.0, -2.0, -0.5, 0.5, 2.0, 3.0, 6.0, 8.0, 12.0),
)
_DENSE = tuple(np.arange(-64, 64.01, 0.25).tolist())


def _points() -> Tensor:
    """Places on both sides of zero and at zero, near and far, ascending."""
    octaves = 2.0 ** np.arange(-_FAR, 64.01, 0.25)
    return torch.from_numpy(np.unique([*-octaves, 0.0, *octaves, *np.linspace(-64, 64, 8193)]))


@lru_cache(maxsize=256)
def typed_activation(text: str) -> Activation:
    """The activation of a formula, such as ``x*sigmoid(1.702*x)``.

    Its derivative is autograd's. Its kinks are where an argument of max, min, where, abs and the
    like changes sides. Its moments are computed by quadrature, which is compared with a finer one.

    Raises:
        RefusedError: the formula is not accepted; says which part, or why, and what is allowed.
    """
    expression = read(text)
    function = compiled(expression.code)

    def derivative(x: Tensor) -> Tensor:
        slopes: Tensor = torch.func.vjp(function, x)[1](torch.ones_like(x))[0]
        return slopes

    x = _points()
    _check_values(x, function(x), derivative(x))
    for each in (function, derivative):
        _check_powers(each)
    kinks = _kinks(expression.switches, x)
    return Activation(
        name=expression.text,
        label=expression.text,
        function=function,
        derivative=derivative,
        formula=latex(expression.tree),
        reference=TYPED,
        code=expression.code,
        backward_code=f"torch.func.vjp(lambda x: {expression.code}, h)[1](g)[0]",
        kinks=tuple(sorted({0.0, *kinks, *_cuts(function, derivative, kinks)})),
        positively_homogeneous=_is_homogeneous(x, function(x)),
        microseconds=_MICROSECONDS * expression.parts + _MICROSECONDS_OF_CALL * expression.calls,
    )


def _check_values(x: Tensor, values: Tensor, slopes: Tensor) -> None:
    """Refuse a φ that is not finite, or has no slope that is, or does not depend on x."""
    for what, numbers in (("φ", values), ("the slope of φ", slopes)):
        wrong = ~numbers.isfinite()
        if bool(wrong.any()):
            place = x[wrong].abs().argmin()
            at, value = x[wrong][place].item(), numbers[wrong][place].item()
            raise RefusedError(
                f"{what} must be finite for every x, got {value:g} at x = {significant(at)}; "
                "a bound helps, such as exp(min(x, 0))"
            )
    if not bool(slopes.any()) or not bool(values.any()):
        raise RefusedError("φ must change with x, got a slope of 0 at every x")


def _check_powers(function: TensorFunction) -> None:
    """Refuse a φ that grows too fast, or as a power of |x| that the law's tables do not hold."""
    u = torch.linspace(-1, 1, 998, dtype=torch.float64)
    for octave in (-_FAR, _FAR):
        sizes = [function(u * 2.0 ** (octave + k)).square().mean().log2().item() for k in (0, 1, 2)]
        if not np.isfinite(sizes).all():  # all zero there
            continue
        first, second = (np.diff(sizes) / 2).tolist()
        power = significant(first)
        if octave > 0 and max(first, second) > _LARGEST_POWER + 0.01:
            raise RefusedError(
                f"φ must grow no faster than |x|^{_LARGEST_POWER:g}, got |x|^{power} far from zero"
            )
        if abs(first - second) < _CLOSE < abs(2 * first - round(2 * first)):
            raise RefusedError(
                f"far from zero and beside it φ must follow a whole or half power of |x|, got "
                f"|x|^{power}"
            )


def _kinks(switches: Iterable[str], x: Tensor) -> tuple[float, ...]:
    """The places at which one of the expressions changes its sign, ascending."""
    found: set[float] = set()
    for code in switches:
        switch = compiled(code)
        signs = switch(x).sign()
        for place in (signs[1:] != signs[:-1]).nonzero().flatten().tolist():
            found.add(_boundary(switch, x[place].item(), x[place + 1].item()))
            if len(found) > _MOST_KINKS:
                raise RefusedError(f"φ must have at most {_MOST_KINKS} kinks, got more")
    return tuple(sorted(found))


def _boundary(switch: TensorFunction, low: float, high: float) -> float:
    """The place between two numbers at which a sign changes, to 12 digits."""

    def sign(at: float) -> float:
        return switch(torch.tensor(at, dtype=torch.float64)).sign().item()

    before = sign(low)
    while (middle := (low + high) / 2) not in (low, high) and high - low > 1e-300:
        low, high = (middle, high) if sign(middle) == before else (low, middle)
    return float(f"{high:.12g}") if abs(high) > 1e-12 else 0.0


def _cuts(
    function: TensorFunction, derivative: TensorFunction, kinks: tuple[float, ...]
) -> tuple[float, ...]:
    """The places besides the kinks at which quadrature has to be cut to be right."""

    def squares(breaks: tuple[float, ...]) -> Array:
        values = gaussian_expectation_at(lambda h: function(h) ** 2, _VARIANCES, breaks=breaks)
        slopes = gaussian_expectation_at(lambda h: derivative(h) ** 2, _VARIANCES, breaks=breaks)
        return np.concatenate([values, slopes])

    right = squares((*kinks, *_DENSE))
    for cuts in _CUTS:
        if np.allclose(squares((*kinks, *cuts)), right, rtol=_CLOSE, atol=0):
            return cuts
    raise RefusedError(
        "φ must change smoothly between its kinks: its mean square could not be integrated"
    )


def _is_homogeneous(x: Tensor, values: Tensor) -> bool:
    """Whether φ(s·x) = s·φ(x) for every s > 0: φ is a line on either side of zero."""
    at_one = [values[x == side].item() for side in (1.0, -1.0)]
    lines = at_one[0] * x.clamp_min(0) - at_one[1] * x.clamp_max(0)
    return bool(torch.allclose(values, lines, rtol=1e-12, atol=0))
