"""Roots of many functions of one variable at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .arrays import Array

_SMALL_STEP = 1e-8  # the next error is the square of the last step: below the last digit
_MOST_STEPS = 60  # halving so often leaves 2^−60 of any bracket


def bracketed_roots(
    function: Callable[[Array, NDArray[np.intp]], Array], low: Array, high: Array
) -> Array:
    """A root of each of several functions of one variable, by Ridders' method.

    Each step at least halves the bracket, and squares the error where the function is smooth.

    Args:
        function: (x, which) → the values of the functions with the indices ``which``, each at its
            own element of ``x``.
        low: one end of each bracket, float64 of shape (functions,).
        high: the other end, same shape, where the function has the opposite sign.

    Returns:
        The roots, float64 of shape (functions,), to about 1e-14 if the functions are as exact.

    Reference: Ridders 1979, A new algorithm for computing a single root of a real continuous
    function.
    """
    which = np.arange(low.size)
    at_low, at_high = function(low, which), function(high, which)
    root = np.where(np.abs(at_low) < np.abs(at_high), low, high)
    for _ in range(_MOST_STEPS):
        middle = (low + high) / 2
        at_middle = function(middle, which)
        spread = np.sqrt(at_middle**2 - at_low * at_high)
        toward = np.sign(at_low - at_high) * at_middle / np.where(spread > 0, spread, 1.0)
        new = middle + (middle - low) * toward
        at_new = function(new, which)
        going_on = (np.abs(new - root[which]) > _SMALL_STEP) & (at_new != 0)
        root[which] = new

        x = np.stack([low, middle, new, high])
        values = np.stack([at_low, at_middle, at_new, at_high])
        order = x.argsort(axis=0, kind="stable")
        x, values = np.take_along_axis(x, order, 0), np.take_along_axis(values, order, 0)
        change = (np.sign(values[:-1]) != np.sign(values[1:])).argmax(axis=0)
        low, high, at_low, at_high = (
            rows[change + place, np.arange(change.size)][going_on]
            for rows, place in ((x, 0), (x, 1), (values, 0), (values, 1))
        )
        which = which[going_on]
        if which.size == 0:
            break
    return root
