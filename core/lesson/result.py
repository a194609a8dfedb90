"""Result: what an exercise finds, as numbers, sentences, histograms and curves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..maths.arrays import Array
from ..reading.number import Number
from .setting import Setting

WHY, HOW, NOTEBOOK = "Why?", "How is this computed?", "The notebook’s numbers"


@dataclass(frozen=True)
class Sentence:
    """A paragraph of the answer.

    Attributes:
        text: plain English; code stands between backticks.
        formula: LaTeX to be set below the text; may be empty. No line ends within it but after
            ``\\allowbreak``.
        fold: the heading under which a page folds the paragraph away; empty where it is open.
    """

    text: str
    formula: str = ""
    fold: str = ""


@dataclass(frozen=True, eq=False)
class Counts:
    """A histogram.

    Attributes:
        label: what is counted.
        axis: the quantity along the axis.
        values: the middles of the bins, ascending and evenly spaced; log2 of them if ``log2``.
        counts: the number in each bin, of the same shape.
        log2: whether ``values`` are logarithms.
        marks: label -> a value to point at, on the scale of ``values``.
    """

    label: str
    axis: str
    values: Array
    counts: Array
    log2: bool = False
    marks: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        label: str,
        axis: str,
        samples: Array,
        bins: int = 24,
        *,
        span: tuple[float, float] | None = None,
        log2: bool = False,
        marks: Mapping[str, float] | None = None,
    ) -> Counts:
        """Count samples in bins of equal width.

        Args:
            label, axis, log2, marks: as of the histogram.
            samples: finite, shape (samples,); log2 of them if ``log2``.
            bins: the number of bins.
            span: where the first bin begins and the last one ends; None: the least and the
                largest sample.
        """
        low, high = span or (samples.min(), samples.max())
        edges = np.linspace(low, high, bins + 1)
        counts = np.histogram(samples, edges)[0].astype(float)
        return cls(label, axis, (edges[:-1] + edges[1:]) / 2, counts, log2, marks or {})

    @classmethod
    def of_indices(
        cls, label: str, indices: NDArray[np.int_], span: tuple[int, int] | None = None
    ) -> Counts:
        """Count loop indices, with a bin for each index.

        Args:
            label: as of the histogram.
            indices: shape (samples,).
            span: the first and the last bin; None: the least and the largest index.
        """
        low, high = span or (indices.min(), indices.max())
        bins = np.arange(low, high + 1)
        counts = (indices[:, None] == bins).sum(0).astype(float)
        return cls(label, "loop index i", bins.astype(float), counts)


@dataclass(frozen=True, eq=False)
class Curve:
    """The size of x, or of its gradient, at every layer.

    Attributes:
        label: of which run or law.
        log2_size: log2 of the std or the rms at layers 0 … depth; −inf for an exact zero.
        low, high: log2 of the sizes between which nine networks in ten lie, of the same shape;
            None where there is no such band.
        goes_back: whether it is a gradient's, which starts at the last layer.
    """

    label: str
    log2_size: Array
    low: Array | None = None
    high: Array | None = None
    goes_back: bool = False


@dataclass(frozen=True, eq=False)
class Shares:
    """What the elements of x are, iteration by iteration.

    Attributes:
        indices: loop indices, ascending, shape (iterations,).
        parts: a kind of element -> its share of all elements, of the same shape; they add up to 1.
    """

    indices: NDArray[np.int_]
    parts: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class GrowingSum:
    """A sum, term after term.

    Attributes:
        label: what is added up.
        values: the sum of the first 0, 1, 2, … terms, shape (terms + 1,).
        spread: the std of such a sum over many networks, of the same shape.
    """

    label: str
    values: Array
    spread: Array


@dataclass(frozen=True, eq=False)
class Result:
    """What an exercise finds.

    Attributes:
        setting: the size of the exercise.
        numbers: the rows of its table.
        answer: what the numbers mean.
        right: the right answer to the step's guess: one of the options, or a number, which is
            infinite where the event in question never happens.
        outputs: each name that the step's snippet assigns -> the same value, computed here.
        counts: histograms; may be empty.
        curves: sizes per layer; may be empty.
        shares: what the elements of x are around the first that is not finite; None where it is
            not in question, or never happens.
        growing_sum: a sum, term after term; None where it is not in question.
        curve_axis: the quantity that the curves show, such as "std of x".
        brief: the answer to the guess in one sentence, for a class; empty where the first
            paragraph of ``answer`` is that sentence.
    """

    setting: Setting
    numbers: tuple[Number, ...]
    answer: tuple[Sentence, ...]
    right: float | str
    outputs: Mapping[str, float | str]
    counts: tuple[Counts, ...] = ()
    curves: tuple[Curve, ...] = ()
    curve_axis: str = "std of x"
    shares: Shares | None = None
    growing_sum: GrowingSum | None = None
    brief: str = ""

    @property
    def in_short(self) -> str:
        """The answer to the guess in one sentence."""
        return self.brief or self.answer[0].text
