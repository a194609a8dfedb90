"""The window of loss scales that carries signal and gradient, measured with real gradients.

The gradient is linear in the loss scale wherever no element is lost and none overflows. So one run
in float64 tells about where a format's window ends, and real runs around each end find the power of
two at which it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import numpy as np

from ..layer.number_formats import NUMBER_FORMATS, NumberFormat
from ..maths.arrays import Array
from ..question.experiment import PARAMETERS, Experiment
from ..simulation.backward import Backward, backpropagate
from ..text import listed, significant
from ..theory.windows import Window
from .comparison import loss

HALF = 0.5  # of the elements that are not zero in float64: more must not be lost
RUNS = 5
"""Real runs for each format, about: two around each end of its window."""
_LOWEST, _HIGHEST = (
    int(np.log2(end or 1))
    for end in (PARAMETERS["loss_scale"].minimum, PARAMETERS["loss_scale"].maximum)
)
_EMPTY = Window(np.inf, 0.0)
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class _Fate(NamedTuple):
    """What a format does to a gradient at a loss scale.

    Attributes:
        lost: whether more than half of the elements of some δ or G are lost to zero.
        overflows: whether an element of some δ or G leaves the range.
    """

    lost: bool
    overflows: bool


def measured_windows(
    experiment: Experiment,
    names: Iterable[str] = (),
    *,
    on_progress: Callable[[float], object] | None = None,
) -> dict[str, Window]:
    """Number format -> the window of loss scales from 2^−24 to 2^24, both ends powers of two.

    Within it the signal comes through, no element of any δ_k or weight gradient overflows, and in
    none of them more than half of the elements are lost to zero. It is empty where no loss scale
    does that.

    Args:
        experiment: the question; its loss scale and number format are ignored.
        names: keys of NUMBER_FORMATS; all of them if empty.
        on_progress: called with the fraction that is done, before every real run.
    """
    e = experiment.replace(loss_scale=1.0)
    exact = backpropagate(e.replace(number_format="float64"))
    formats = tuple(names) or tuple(NUMBER_FORMATS)
    found = dict.fromkeys(formats, _EMPTY)
    if (exact.stats.zero == 1).any():  # no gradient comes back, however exact
        return found
    for place, name in enumerate(formats):

        def tell(share: float, place: int = place) -> None:
            if on_progress is not None:
                on_progress((place + share) / len(formats))

        found[name] = _Format(e.replace(number_format=name), exact, tell).window()
    return found


class _Format:
    """The search for the window of one number format.

    Args:
        experiment: the question, in this format.
        exact: its gradient in float64, at loss scale 1.
        tell: called with the fraction that is done.
    """

    def __init__(
        self, experiment: Experiment, exact: Backward, tell: Callable[[float], object]
    ) -> None:
        self._e, self._exact, self._tell = experiment, exact, tell
        self._fates: dict[int, _Fate] = {}
        self._signal_lost = False

    def window(self) -> Window:
        """The window; empty where there is none."""
        low_guess, high_guess = _guess(self._exact, self._e.format)
        low = self._first(lambda k: not self._fate(k).lost, low_guess)
        if self._signal_lost or low > _HIGHEST:
            return _EMPTY
        high = self._first(lambda k: self._fate(k).overflows, high_guess + 1) - 1
        return Window(2.0**low, 2.0**high) if low <= high else _EMPTY

    def _first(self, answer: Callable[[int], bool], guess: int) -> int:
        """The least power of two with yes, of answers that go from no to yes; one more if none.

        The steps away from the guess double, until the answer changes; then they are halved.
        """
        no, yes = _LOWEST - 1, _HIGHEST + 1
        at, step = min(max(guess, _LOWEST), _HIGHEST), 1
        way = 0
        while yes - no > 1:
            here = answer(at)
            no, yes = (no, at) if here else (at, yes)
            if way and (way < 0) != here:
                way = 2  # both sides are known
            elif way in (0, 1, -1):
                way = -1 if here else 1
            if way == 2:
                at = (no + yes) // 2
            else:
                at = min(max(at + way * step, no + 1), yes - 1)
                step *= 2
        return yes

    def _fate(self, power: int) -> _Fate:
        if power not in self._fates and not self._signal_lost:
            self._tell(min(len(self._fates) / RUNS, 0.95))
            back = backpropagate(self._e.replace(loss_scale=2.0**power))
            self._signal_lost = loss(back.run) is not None
            self._fates[power] = _Fate(_is_lost(back, self._exact), _overflows(back))
        return self._fates.get(power, _Fate(False, True))  # nothing matters after a lost signal


def _guess(exact: Backward, number_format: NumberFormat) -> tuple[int, int]:
    """log2 of about the ends of the window, by the sizes of an exact gradient."""
    sizes = exact.stats.log2_rms
    with np.errstate(divide="ignore"):
        largest = float(np.log2(exact.stats.max_abs).max())
    weights = np.concatenate([each.log2_rms[1:] for each in exact.of_products])
    least = float(np.nanmin(np.append(sizes, weights)))
    most = max(largest, float(np.nanmax(weights)) + 6)
    ends = number_format.log2_rounds_to_zero_below - least, number_format.log2_overflows_from - most
    low, high = (float(np.clip(np.nan_to_num(end), _LOWEST, _HIGHEST)) for end in ends)
    return int(np.ceil(low)), int(np.floor(high))


def _is_lost(back: Backward, exact: Backward) -> bool:
    """Whether in some δ or G more than half of the elements that are not zero exactly are zero."""
    pairs = [(back.stats.zero, exact.stats.zero)]
    matrices = zip(back.of_products, exact.of_products, strict=True)
    pairs += [(each.zero[1:], own.zero[1:]) for each, own in matrices]
    return any(bool((share_lost(zero, own) > HALF).any()) for zero, own in pairs)


def share_lost(zero: Array, exact: Array) -> Array:
    """The share of the elements that rounding makes zero, of those that are not zero in float64.

    Args:
        zero: the fraction of zeros, per layer.
        exact: the same in float64. Where it is 1 there is nothing to lose, and the share is 0.
    """
    alive = 1 - exact
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(alive > 0, np.maximum(zero - exact, 0.0) / alive, 0.0)


def _overflows(back: Backward) -> bool:
    """Whether some element of δ or G is not finite, or is held at the format's largest value."""
    broken = bool(back.stats.nonfinite.any())
    for each in back.of_products:
        whole = (each.whole or {}).get("nonfinite", 0.0)
        broken = broken or bool((each.nonfinite[1:] > 0).any()) or whole > 0
    return broken or bool(back.stats.saturated.any())


def in_words(window: Window) -> str:
    """The powers of two in a window as text, "2⁻⁵ to 2¹⁰"; the ends of one that has none."""
    if window.is_empty and window.low != window.high:
        return "none"
    with np.errstate(divide="ignore"):
        low, high = np.ceil(np.log2(window.low)), np.floor(np.log2(window.high))
    ends = [float(np.clip(end, _LOWEST, _HIGHEST)) for end in (low, high)]
    if window.low > 2.0**_HIGHEST or window.high < 2.0**_LOWEST:
        return "none"
    if low > high:  # a window with no power of two in it
        return f"{significant(window.low)} to {significant(window.high)}"
    if ends == [_LOWEST, _HIGHEST]:
        return "any"
    return " to ".join(f"2{f'{end:.0f}'.translate(_RAISED)}" for end in ends)


def sentence(windows: Mapping[str, Window], loss_scale: float) -> str:
    """Which formats carry signal and gradient at a loss scale, and what the others would need."""
    holds = [name for name, each in windows.items() if each.low <= loss_scale <= each.high]
    others = {
        name: in_words(each)
        for name, each in windows.items()
        if name not in holds and in_words(each) != "none"
    }
    at = f"With loss scale {significant(loss_scale)}"
    carried = (
        f"{listed(holds)} carr{'y' if len(holds) > 1 else 'ies'}" if holds else "no format carries"
    )
    told = f"{at} {carried} signal and gradient at once."
    if others:
        told += " It takes " + ", ".join(f"{text} in {name}" for name, text in others.items()) + "."
    none = [name for name in windows if name not in holds and name not in others]
    if none:
        told += f" In {listed(none)} no loss scale does it."
    return told
