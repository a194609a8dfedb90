"""Finding: what became of a claim when it was measured again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
from scipy import special

from ..maths.arrays import Array
from .claim import Claim, Verdict

CHANCE = 1e-4
"""How often a number that is right may be called different: once in ten thousand."""

_ORDER: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Finding:
    """The numbers of a claim: printed, measured and exact.

    Errors and spreads are absolute, or of the natural logarithm where the claim compares by ratio.

    Attributes:
        claim: the row.
        networks: how many were measured; 0 while none is.
        measured: the mean over the networks, float64 of shape (numbers,).
        error: its standard error.
        spread: the standard deviation of one network.
        exact: by theory; NaN where none is known.
        problem: why it could not be measured; empty where it was, or is not yet.
    """

    claim: Claim
    networks: int
    measured: Array
    error: Array
    spread: Array
    exact: Array
    problem: str = ""

    @property
    def sure(self) -> float:
        """Standard errors by which a number must be off before it differs.

        The spread of a few networks is itself uncertain: Student's t distribution accounts for it.
        """
        return -float(special.stdtrit(max(self.networks - 1, 1), CHANCE / 2))

    @property
    def each(self) -> tuple[Verdict | None, ...]:
        """The verdict on each number; None where none was printed, or nothing is known of it."""
        return tuple(self._verdict(k) for k in range(len(self.claim.at)))

    @property
    def verdict(self) -> Verdict | None:
        """The worst verdict on a number; None while nothing is known."""
        known = [verdict for verdict in self.each if verdict is not None]
        return max(known, key=_ORDER.index, default=None)

    @property
    def headline(self) -> int:
        """The place of the number that stands for the row: the last that has its verdict.

        Before anything is measured it is the last.
        """
        told, each = self.verdict, self.each
        printed = [k for k, text in enumerate(self.claim.printed) if text]
        return max(k for k in printed if each[k] == told or not self.networks)

    @property
    def follows_theory(self) -> bool:
        """Whether the real networks are where theory has them, by their standard error."""
        known = np.isfinite(self.exact)
        off = np.abs(self._compared(self.measured) - self._compared(self.exact))
        return bool((off <= self.sure * self.error + 1e-12)[known].all())

    @property
    def is_as_told(self) -> bool:
        """Whether the row is what its entry says, and measurement follows theory.

        A number that could not be measured is not as told. A single network may happen to agree
        without its sampling error.
        """
        told, expected = self.verdict, self.claim.expected
        if told is None or not np.isfinite(self.measured).all():
            return False
        if (told == "differs") != (expected == "differs"):
            return False
        return self.follows_theory and _ORDER.index(told) <= _ORDER.index(expected)

    @property
    def theirs(self) -> Array:
        """The standard error of the printed numbers; 0 where they are not random."""
        drawn = self.claim.drawn
        return np.zeros_like(self.spread) if drawn is None else self.spread / drawn**0.5

    def _verdict(self, k: int) -> Verdict | None:
        value, rounding = self.claim.published[k]
        is_exact = bool(np.isfinite(self.exact[k]))
        right = self.exact[k] if is_exact else self.measured[k]
        if np.isnan(value) or np.isnan(right):
            return None
        off = abs(self._compared(value) - self._compared(right))
        allowed = rounding / value if self.claim.is_factor else rounding
        allowed += self.claim.within * self._unit(right) + 1e-12 * abs(right)
        ours = 0.0 if is_exact else float(self.error[k])
        drawn = self.claim.drawn
        if off <= allowed + (self.sure * ours if drawn is None else 0.0):
            return "agrees"
        if drawn is not None and not self.networks:
            return None  # their sampling error is not known yet
        if drawn is not None and off <= allowed + self.sure * float(np.hypot(ours, self.theirs[k])):
            return "agrees but for their sampling error"
        return "differs"

    def _compared(self, values: Array | float) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(values) if self.claim.is_factor else np.asarray(values)

    def _unit(self, values: Array | float) -> Array:
        return np.ones_like(values) if self.claim.is_factor else np.abs(values)


def unknown(claim: Claim) -> Finding:
    """A claim of which only what was printed is known."""
    nothing = np.full(len(claim.at), np.nan)
    return Finding(claim, 0, nothing, nothing, nothing, nothing)


def blank(claim: Claim) -> Finding:
    """A claim of which nothing is measured yet: what was printed, and what theory says."""
    if claim.exact is None:
        return unknown(claim)
    return replace(unknown(claim), exact=np.asarray(claim.exact(claim.experiment), float))


def theory(claims: Sequence[Claim]) -> tuple[Finding, ...]:
    """Claims of which nothing is measured yet; one that theory fails on has a problem."""
    return tuple(_tried(blank, claim) for claim in claims)


def _tried(ask: Callable[[Claim], Finding], claim: Claim) -> Finding:
    """A claim asked; what it raises is told in its row, and the others go on."""
    try:
        return ask(claim)
    except Exception as error:
        known = unknown(claim) if ask is blank else _tried(blank, claim)
        return replace(known, problem=f"{type(error).__name__}: {error}")


def reproduce_all(
    claims: Sequence[Claim],
    on_result: Callable[[tuple[Finding, ...]], object],
    measure: Callable[[Claim], Finding] | None = None,
) -> tuple[Finding, ...]:
    """Measure claims again, one after the other.

    Args:
        claims: the rows.
        on_result: called after each with all that were measured.
        measure: `reproduce`, or one that remembers what it found.
    """
    found = list[Finding]()
    for claim in claims:
        found.append(_tried(measure or reproduce, claim))
        on_result(tuple(found))
    return tuple(found)


def reproduce(claim: Claim, *, small: bool = False) -> Finding:
    """Measure a claim again.

    Args:
        claim: the row.
        small: whether few networks are enough, for a quick look.
    """
    networks = claim.few if small else claim.networks
    values = np.asarray(claim.measure(claim.experiment, networks), dtype=np.float64)
    if values.shape != (networks, len(claim.at)):
        shape = (networks, len(claim.at))
        raise ValueError(f"{claim.name}: measure must give {shape}, got {values.shape}")
    with np.errstate(divide="ignore", invalid="ignore"):
        compared = np.log(values) if claim.is_factor else values
    mean = compared.mean(0)
    spread = compared.std(0, ddof=1)
    measured = np.exp(mean) if claim.is_factor else mean
    return Finding(claim, networks, measured, spread / networks**0.5, spread, blank(claim).exact)
