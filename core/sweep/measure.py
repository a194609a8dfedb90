"""Measure: a number that a sweep can compute for a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..layer.activations import Activation
from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..simulation.backward import Backward
from ..simulation.ensemble import Ensemble
from ..simulation.propagate import Run

Kind = Literal["iteration", "layer", "positive", "signed", "log2", "log10", "fraction", "layers"]
OfTheory = Callable[[Activation, Array, Array], Array]
TheoryWork = Callable[[Activation, Array, Array], float]


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number for each network, or by theory one for a whole cell.

    Attributes:
        label: its name on screen.
        help: what it is, in one sentence.
        kind: a loop index, a layer on the way back, a size, a signed number, its log2 or log10, a
            fraction, or a number of layers.
        of_run: the number of a run, at a layer; None if only theory has it.
        of_ensemble: the numbers of an ensemble's networks, at a layer; None if they depend on
            rounding, which an ensemble leaves out.
        of_backward: the number of a run whose gradient goes back too; None if it needs no gradient.
        of_gradients: the numbers of an ensemble with gradients, for an experiment that differs from
            the ensemble's in its number format or loss scale alone; None as for ``of_ensemble``.
        of_theory: from φ and arrays of σ_w and σ_b, at infinite width; None if a run has it.
        theory_work: the multiply-adds of ``of_theory``, from the same.
        at_a_layer: whether it is measured at one layer, rather than over all.
    """

    label: str
    help: str
    kind: Kind
    of_run: Callable[[Run, int], float] | None = None
    of_ensemble: Callable[[Ensemble, int], Array] | None = None
    of_backward: Callable[[Backward], float] | None = None
    of_gradients: Callable[[Ensemble, Experiment], Array] | None = None
    of_theory: OfTheory | None = None
    theory_work: TheoryWork | None = None
    at_a_layer: bool = False

    @property
    def is_event(self) -> bool:
        """Whether it is the place at which something happens first, NaN standing for never."""
        return self.kind in ("iteration", "layer")

    @property
    def is_backward(self) -> bool:
        """Whether a gradient has to go back through the network."""
        return self.of_backward is not None
