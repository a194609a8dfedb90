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
from .expression import compiled, read
from .expression_latex import latex
from .refused import RefusedError

_MICROSECONDS = 0.0002  # of one element, for each part of a formula
_MICROSECONDS_OF_CALL = 0.004  # for each function in it
_MOST_KINKS = 12
_LARGEST_POWER = 4.0  # of |x| that φ may follow far from zero: E φ⁴ is computed up to |x| = 2^34
_LARGEST = 1e12  # of |φ|/(1 + x⁴), and
_STEEPEST = 1e4  # of |φ′|/(1 + |x|³): what is larger overflows, or is too steep to be integrated
_SMALLEST = 1e-12  # of E φ(z)²
_SLOW = 0.1  # a power of |x| below it, as that of a logarithm, is taken as constant
_NEAR = 1e-3  # of a whole or half power: two terms of φ may still add up
_STEP = 1e-6  # relative
_LOST = 0.25  # relative: an error of φ beyond all rounding; beside the size of φ up to
_USUAL = 4.0  # this |x|
_BESIDE = 1e-9  # relative to 1 + |x|: where φ is compared on both sides of a kink
_FAR = 40  # log2 of the |x| from which on φ is taken as a power of |x|
_FARTHEST = 60  # log2 of the |x| up to which φ is looked at
_CLOSE = 1e-6  # relative: quadratures that differ by less are taken as right
_VARIANCES = np.array([1e-4, 1e-2, 0.25, 1.0, 4.0, 16.0, 1e3])
# Places at which quadrature is cut as well where φ changes more quickly than within 1.
_CUTS: tuple[tuple[float, ...], ...] = (
    (),
    tuple(side * 4.0**-k for side in (-1, 1) for k in (1, 2, 3)),
    tuple(side * 4.0**-k for side in (-1, 1) for k in (1, 2, 3, 4, 5)),
    (-12.0, -8.0, -6.0, -3.0, -2.0, -0.5, 0.5, 2.0, 3.0, 6.0, 8.0, 12.0),
    *(tuple((np.arange(-384, 385, wave)).tolist()) for wave in (6.0, 3.0, 1.5)),  # of a sine
)
_DENSE = tuple(
    np.concatenate([np.arange(-400, -64), np.arange(-64, 64.01, 0.25), np.arange(65, 401)]).tolist()
)


def _points() -> Tensor:
    """Places on both sides of zero and at zero, near and far, ascending."""
    octaves = 2.0 ** np.arange(-_FARTHEST, 64.01, 0.25)
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
        missing = slopes.isnan()
        return torch.where(missing, _secant(function, x), slopes) if missing.any() else slopes

    x = _points()
    values, slopes = function(x), derivative(x)
    _check_values(x, values, slopes)
    for each in (function, derivative):
        _check_powers(each)
    _check_sizes(x, values, slopes)
    kinks = _kinks(expression.switches, x)
    for kink in kinks:
        _check_jump(function, derivative, kink)
    return Activation(
        name=expression.text,
        label=expression.text,
        function=function,
        derivative=derivative,
        formula=latex(expression.tree),
        reference="typed by hand",
        is_typed=True,
        code=expression.code,
        backward_code=f"torch.func.vjp(lambda x: {expression.code}, h)[1](g)[0]",
        kinks=tuple(sorted({0.0, *kinks, *_cuts(function, derivative, kinks)})),
        positively_homogeneous=_is_homogeneous(x, values),
        microseconds=_MICROSECONDS * expression.parts + _MICROSECONDS_OF_CALL * expression.calls,
    )


@lru_cache(maxsize=256)
def loses_parts_from(phi: Activation, dtype: torch.dtype) -> float:
    """The |x| from which on a part of a typed φ or φ′ leaves the range of a dtype, and it does not.

    So ``x*x/(1 + abs(x))`` does in float16 from |x| = 256 on. Theory knows φ, not its parts.

    Args:
        phi: the activation; those of the registry lose nothing.
        dtype: the dtype of its values.

    Returns:
        It to an eighth of an octave; inf where no part is lost.
    """
    if not phi.is_typed:
        return np.inf
    most = torch.finfo(dtype).max
    octaves = 2.0 ** torch.arange(0, np.log2(most), 0.125, dtype=torch.float64)
    x = torch.stack([-octaves, octaves]).to(dtype)
    wide = x.double()
    lost = torch.zeros(len(octaves), dtype=torch.bool)
    for found, exact in (
        (phi(x), phi(wide)),
        (phi.backward(x, torch.ones_like(x)), phi.derivative(wide)),
    ):
        usual = exact[:, octaves <= _USUAL].abs().max()
        allowed = _LOST * exact.abs().clamp_min(usual)
        right = (found.double() - exact).abs() <= allowed
        lost |= ((exact.abs() < most) & ~right).any(0)
    return float(octaves[lost.nonzero()[0]]) if bool(lost.any()) else np.inf


def _secant(function: TensorFunction, x: Tensor) -> Tensor:
    """The slope of a function between neighbours, where autograd has Inf/Inf: x/(1 + exp(-x))."""
    step = _STEP * x.abs()
    return (function(x + step) - function(x - step)) / (2 * step)


def _check_values(x: Tensor, values: Tensor, slopes: Tensor) -> None:
    """Refuse a φ that is not finite, or has no slope that is, or does not depend on x."""
    for what, numbers in (("φ", values), ("the slope of φ", slopes)):
        wrong = ~numbers.isfinite()
        if bool(wrong.any()):
            place = x[wrong].abs().argmin()
            at, value = x[wrong][place].item(), numbers[wrong][place].item()
            raise RefusedError(
                f"{what} must be finite for every x, got {value:g} at x = {significant(at)}; "
                "a bound helps, as in exp(min(x, 0)) and sqrt(1 + x*x); softplus(x) and tanh(x) "
                "need none"
            )
    if not bool(slopes.any()) or not bool(values.any()):
        raise RefusedError("φ must change with x, got a slope of 0 at every x")


def _check_sizes(x: Tensor, values: Tensor, slopes: Tensor) -> None:
    """Refuse a φ whose numbers are too large for float64 in a power, or too steep."""
    for what, numbers, most, power in (
        ("φ", values, _LARGEST, 4),
        ("the slope of φ", slopes, _STEEPEST, 3),
    ):
        wrong = numbers.abs() > most * (1 + x.abs() ** power)
        if bool(wrong.any()):
            at, value = x[wrong][0].item(), numbers[wrong][0].item()
            raise RefusedError(
                f"{what} must be at most {most:g}·(1 + |x|^{power}), got {value:.3g} at "
                f"x = {significant(at)}"
            )


def _check_powers(function: TensorFunction) -> None:
    """Refuse a φ that grows too fast, or as a power of |x| that the law's tables do not hold."""
    u = torch.linspace(-1, 1, 998, dtype=torch.float64)
    for octave in (-_FAR, _FAR):
        sizes = [function(u * 2.0 ** (octave + k)).square().mean().log2().item() for k in (0, 1, 2)]
        if not np.isfinite(sizes).all():  # all zero there
            continue
        power = float(np.diff(sizes).mean() / 2)
        if octave > 0 and power > _LARGEST_POWER + _NEAR:
            raise RefusedError(
                f"φ must grow no faster than |x|^{_LARGEST_POWER:g}, got |x|^{significant(power)} "
                "far from zero"
            )
        if abs(power) > _SLOW and abs(2 * power - round(2 * power)) > _NEAR:
            raise RefusedError(
                "far from zero and beside it φ must follow a whole or half power of |x|, got "
                f"|x|^{significant(power)}"
            )


def _check_jump(function: TensorFunction, derivative: TensorFunction, kink: float) -> None:
    """Refuse a φ that jumps at a kink: its slope there would be infinite."""
    step = _BESIDE * (1 + abs(kink))
    sides = torch.tensor([kink - step, kink + step], dtype=torch.float64)
    (below, above), slope = function(sides).tolist(), derivative(sides).abs().max().item()
    if abs(above - below) > _CLOSE * (abs(above) + abs(below)) + 4 * slope * step:
        raise RefusedError(
            f"φ must not jump, got {significant(below)} below x = {significant(kink)} and "
            f"{significant(above)} above it"
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

    unit = gaussian_expectation_at(lambda h: function(h) ** 2, 1.0, breaks=kinks)
    if unit < _SMALLEST:
        raise RefusedError(
            f"the mean of φ(z)² for z ~ N(0, 1) must be at least {_SMALLEST:g}, "
            f"got {float(unit):.3g}"
        )

    def squares(breaks: tuple[float, ...]) -> Array:
        values = gaussian_expectation_at(lambda h: function(h) ** 2, _VARIANCES, breaks=breaks)
        slopes = gaussian_expectation_at(lambda h: derivative(h) ** 2, _VARIANCES, breaks=breaks)
        return np.concatenate([values, slopes])

    right = squares((*kinks, *_DENSE))
    for cuts in _CUTS:
        if np.allclose(squares((*kinks, *cuts)), right, rtol=_CLOSE, atol=0):
            return cuts
    raise RefusedError(
        "φ must change less quickly between its kinks: its mean square could not be integrated; "
        "a quick sine has a name, such as sin(30)"
    )


def _is_homogeneous(x: Tensor, values: Tensor) -> bool:
    """Whether φ(s·x) = s·φ(x) for every s > 0: φ is a line on either side of zero."""
    at_one = [values[x == side].item() for side in (1.0, -1.0)]
    lines = at_one[0] * x.clamp_min(0) - at_one[1] * x.clamp_max(0)
    return bool(torch.allclose(values, lines, rtol=1e-12, atol=0))
