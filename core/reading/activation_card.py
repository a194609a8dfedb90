"""The card of an activation: its two gains, PyTorch's gain, and how they differ."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

from ..layer.activations import Activation
from ..layer.moments import Phi, activation
from ..maths.quadrature import gaussian_expectation_at
from ..text import significant
from ..theory import mean_field
from .nf_gains import NF_GAINS, sampling_error

_TORCH_GAINS = {
    "linear": nn.init.calculate_gain("linear"),
    "sigmoid": nn.init.calculate_gain("sigmoid"),
    "tanh": nn.init.calculate_gain("tanh"),
    "relu": nn.init.calculate_gain("relu"),
    "selu": nn.init.calculate_gain("selu"),
}
"""Registry key -> torch.nn.init.calculate_gain, for every activation that it accepts but one:
leaky ReLU's depends on its slope."""
_SAME = 1e-6  # relative: gains that differ by less are the same but for rounding
_CLOSE = 0.01  # a smaller |χ₁ − 1| shows neither order nor chaos in a hundred layers


@dataclass(frozen=True)
class GainCard:
    """An activation φ at the moment of initialisation, for z ~ N(0, 1).

    Attributes:
        name: the activation's registry key.
        formula: φ in LaTeX.
        reference: where φ comes from.
        gain: 1/√E[φ(z)²]; weights of std gain/√n keep a unit second moment.
        variance_gain: 1/std φ(z), the gain of normaliser-free networks.
        nf_gain: the constant that their public code carries for it; None where it has none.
        torch_gain: torch.nn.init.calculate_gain; None where PyTorch has none for φ.
        second_moment: E[φ(z)²].
        derivative_second_moment: E[φ′(z)²].
        chi_1: gain² E[φ′(z)²]: χ₁ with weights of std gain/√n, which keep q = 1.
        returns: whether a signal of another size comes back to q = 1 with such weights; None where
            φ is positively homogeneous and every size stays as it is.
        torch_q: the q at which a signal settles with PyTorch's gain; 0 where it dies out, None
            where it grows without bound or PyTorch has no gain.
        torch_chi_1: χ₁ with PyTorch's gain; None where PyTorch has none.
        sentence: how PyTorch's gain differs, and with what effect.
        which: which of the two gains to use, and how exact the published constant is.
    """

    name: str
    formula: str
    reference: str
    gain: float
    variance_gain: float
    nf_gain: float | None
    torch_gain: float | None
    second_moment: float
    derivative_second_moment: float
    chi_1: float
    returns: bool | None
    torch_q: float | None
    torch_chi_1: float | None
    sentence: str
    which: str


def torch_gain(phi: Phi) -> float | None:
    """torch.nn.init.calculate_gain for an activation, None where PyTorch has none."""
    phi = activation(phi)
    if phi.name.split("(")[0] == "leaky_relu":
        slope = -float(phi(torch.tensor(-1.0, dtype=torch.float64)))
        return nn.init.calculate_gain("leaky_relu", slope)
    return _TORCH_GAINS.get(phi.name)


def variance_gain(phi: Phi) -> float:
    """1/std φ(z) for z ~ N(0, 1); 1.713 for ReLU.

    The σ_w that keeps the variance of a unit signal where the mean of φ does not pass, as through
    weights whose rows add up to zero. Brock et al. 2021, arXiv:2101.08692, section 4.2.

    Raises:
        ValueError: no activation has that name.
    """
    return _variance(activation(phi)) ** -0.5


def _variance(phi: Activation) -> float:
    """Var φ(z), from the deviations: E φ² − (E φ)² may cancel."""
    mean = mean_field.mean(phi, 1.0)
    return float(gaussian_expectation_at(lambda h: (phi(h) - mean) ** 2, 1.0, breaks=phi.kinks))


def side(chi_1: float) -> str:
    """The side of the edge of chaos: ordered, chaotic, or (almost) at the edge."""
    if abs(chi_1 - 1) < _CLOSE:
        return "at the edge of chaos" if abs(chi_1 - 1) < _SAME else "almost at the edge of chaos"
    return "chaotic" if chi_1 > 1 else "ordered"


@lru_cache(maxsize=64)
def _card(phi: Activation) -> GainCard:
    gain, theirs = mean_field.gain(phi), torch_gain(phi)
    slope = float(mean_field.derivative_second_moment(phi, 1.0))
    chi_1 = gain**2 * slope
    returns = None
    if not phi.positively_homogeneous:
        returns = gain**2 * float(mean_field.second_moment_slope(phi, 1.0)) < 1
    q = chi = None
    if theirs is not None:
        same = abs(theirs / gain - 1) < _SAME
        q = 1.0 if same else mean_field.fixed_point(phi, theirs, 0.0)
        chi = chi_1 if same else float(mean_field.chi_1(phi, theirs, 0.0))
    return GainCard(
        name=phi.name,
        formula=phi.formula,
        reference=phi.reference,
        gain=gain,
        variance_gain=variance_gain(phi),
        nf_gain=NF_GAINS.get(phi.name),
        torch_gain=theirs,
        second_moment=float(mean_field.second_moment(phi, 1.0)),
        derivative_second_moment=slope,
        chi_1=chi_1,
        returns=returns,
        torch_q=q,
        torch_chi_1=chi,
        sentence=_sentence(phi.name, gain, chi_1, theirs, q, chi) + _stability(returns),
        which=_which(phi, gain) + _published(phi),
    )


def _sentence(
    name: str, gain: float, chi_1: float, theirs: float | None, q: float | None, chi: float | None
) -> str:
    """How the two gains differ, in words."""
    if theirs is None or chi is None:
        return f"PyTorch's calculate_gain knows no {name}; the gain here is worked out from φ."
    if abs(theirs / gain - 1) < _SAME:
        return f"PyTorch's calculate_gain says the same, and χ₁ is {significant(chi_1)}."
    where = {None: "grows without bound", 0.0: "dies out"}.get(q)
    if where is None and q is not None:
        word = "smaller" if q < 1 else "larger"
        where = f"settles at a {word} second moment, {significant(q)} instead of 1"
    both = side(chi) == side(chi_1)
    compare = f"{side(chi)} too" if both else f"{side(chi)}, and not {side(chi_1)}"
    return (
        f"PyTorch's calculate_gain says {significant(theirs)}, not {significant(gain)}: with it a "
        f"signal {where}, and χ₁ is {significant(chi)} rather than {significant(chi_1)}: {compare}."
    )


def _which(phi: Activation, gain: float) -> str:
    """Which of 1/√E[φ²] and 1/std φ to use."""
    centred, mean = variance_gain(phi), mean_field.mean(phi, 1.0)
    if abs(mean) * gain < _SAME**2:
        return "The mean of φ(z) is zero: 1/std φ(z) is the same."
    square = significant((centred / gain) ** 2)
    if square == "1":
        return "The mean of φ(z) is almost zero: 1/std φ(z) is almost the same."
    return (
        "For independent weights use 1/√E[φ(z)²], because a @ x also adds up the mean of φ: with "
        f"1/std φ(z) a wide layer turns E[h²] = 1 into {square}. Use "
        "1/std φ(z) where the mean does not pass: through rows of weights that add up to zero, as "
        "in NF-nets."
    )


def _published(phi: Activation) -> str:
    """How far the published constant is from 1/std φ(z)."""
    published = NF_GAINS.get(phi.name)
    if published is None or phi.name == "linear":
        return ""
    off = 100 * (published / variance_gain(phi) - 1)
    return (
        f" NF-nets’ code has {published:.5f}, {abs(off):.2f} % {'more' if off > 0 else 'less'}: "
        "their recipe averages variances of 256 numbers, 0.2 % too much by itself, with a standard "
        f"error of {100 * sampling_error(phi):.2f} %."
    )


def _stability(returns: bool | None) -> str:
    """A warning if a signal a little larger or smaller does not come back to q = 1."""
    if returns is not False:
        return ""
    return (
        " No gain holds this for long: a signal a little too large keeps growing, one a little too "
        "small keeps shrinking."
    )


def gain_card(phi: Phi) -> GainCard:
    """The card of an activation.

    Args:
        phi: the activation, or its registry name.

    Raises:
        ValueError: no activation has that name.
    """
    return _card(activation(phi))
