"""Guesses of the iteration at which x breaks: the question in words, and how good they were."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..layer.activations import ACTIVATIONS
from ..question.experiment import Experiment
from ..question.naming import stop_name
from ..simulation.propagate import Run
from ..text import format_number, significant

QUESTION = "At which iteration does x become NaN, if ever?"
_DRAWN = {"normal": "randn", "uniform": "rand, from −√3 to √3"}


@dataclass(frozen=True)
class Guesses:
    """How often each iteration was guessed.

    Attributes:
        counts: loop index -> number of guesses, at least one each.
        never: how many guessed that x never breaks.
    """

    counts: Mapping[int, int]
    never: int = 0

    @property
    def total(self) -> int:
        """All guesses."""
        return sum(self.counts.values()) + self.never

    def of(self, iteration: int | None) -> int:
        """How many guessed this; None is never."""
        return self.never if iteration is None else self.counts.get(iteration, 0)


def loop(experiment: Experiment) -> str:
    """The loop that the question is about, as a line of Python: it says what x is."""
    e = experiment
    norm, place = _NORMS[e.norm], e.norm_place
    branch = _BRANCHES[e.branch](e, norm if place == "before" else "", norm * (place == "inside"))
    step = branch
    if e.skip != "none":
        factor = stop_name(e, "branch_scale") or significant(e.branch_scale)
        step = f"x + {branch}" if factor == "1" else f"x + ({factor}) * ({branch})"
    if norm and place == "after":
        step = f"{norm}({step})"
    return f"for i in range({e.depth}): x = {step}"


def _affine(e: Experiment, x: str, number: str = "") -> str:
    which = "[i]" if e.weights == "fresh" else ""
    return f"a{number}{which} @ {x}" + (f" + b{number}{which}" if e.has_bias else "")


def _of(e: Experiment, x: str) -> str:
    if e.activation == "linear":
        return x
    return f"{e.activation if e.activation in ACTIVATIONS else 'phi'}({x})"


def _around(function: str, x: str) -> str:
    return f"{function}({x})" if function else x


def _product(e: Experiment, before: str, inside: str) -> str:
    return _of(e, _around(inside, _affine(e, _around(before, "x"))))


def _preactivation(e: Experiment, before: str, inside: str) -> str:
    return _affine(e, _around(inside, _of(e, _around(before, "x"))))


def _mlp(e: Experiment, before: str, inside: str) -> str:
    hidden = _of(e, _around(inside, _affine(e, _around(before, "x"), "1")))
    is_call = hidden.endswith(")") and (inside or e.activation != "linear")
    return _affine(e, hidden if is_call else f"({hidden})", "2")


_BRANCHES = {"product": _product, "preactivation": _preactivation, "mlp": _mlp}
_NORMS = {"none": "", "layer": "layer_norm", "rms": "rms_norm", "batch": "batch_norm"}
_INPUTS = {
    "normal": "numbers from randn",
    "pixels": "numbers from rand",
    "bytes": "whole numbers from 0 to 255",
    "one_hot": "numbers, one of them 1 and the others 0",
    "ones": "numbers that are 1",
}


def setting(experiment: Experiment) -> str:
    """What the letters of the loop stand for, in words, without the outcome."""
    e = experiment
    rule = _DRAWN.get(e.init, e.init)
    scale = stop_name(e, "scale") or significant(e.scale)
    drawn = rule if scale == "1" else f"{rule} × {scale}"
    again = "the same at every step" if e.weights == "tied" else "new ones at every step"
    phi = {"linear": "no ReLU", "relu": "ReLU after every product"}
    inputs = "" if e.batch_size == 1 else f"{e.batch_size} inputs of "
    times = "" if e.input_scale == 1 else f" × {significant(e.input_scale)}"
    parts = [f"x: {inputs}{e.width} {_INPUTS[e.input]}{times}; {_matrices(e)} from {drawn}", again]
    if e.layer.is_plain:
        parts.append(phi.get(e.activation, f"{_name_of_phi(e)} after every product"))
    elif e.activation not in ACTIVATIONS:
        parts.append(_name_of_phi(e))
    if e.bias_std:
        parts.append(f"a bias b of std {significant(e.bias_std)}")
    if e.rule.fits_bias:
        where = "every layer" if e.weights == "fresh" else "the first layer"
        parts.append(f"b fitted so that the pre-activations of {where} have mean 0")
    return f"{', '.join([*parts, e.number_format])}."


def _name_of_phi(e: Experiment) -> str:
    """The activation as the loop calls it: one that is not in the registry is phi there."""
    return e.activation if e.activation in ACTIVATIONS else f"phi(x) = {e.activation}"


def _matrices(e: Experiment) -> str:
    """The matrices of a layer and their sizes."""
    n, hidden = e.width, e.expansion * e.width
    sizes = [("a", n, n)] if e.branch != "mlp" else [("a1", hidden, n), ("a2", n, hidden)]
    space = "\N{NO-BREAK SPACE}"
    told = (f"{name}: {rows}{space}×{space}{columns}" for name, rows, columns in sizes)
    return f"{' and '.join(told)} weights"


def counted(experiment: Experiment) -> str:
    """How the iterations are numbered."""
    last = experiment.depth - 1
    which = (
        f"The first {experiment.step} is i = 0, the last is i = {last}"
        if last
        else "There is only i = 0"
    )
    return f"{which}. Inf counts as well."


def measured_iteration(run: Run) -> int | None:
    """The right answer: the loop index of the first element that is Inf or NaN; None is never."""
    return run.events.first_nonfinite


def named(iteration: int | None) -> str:
    """A guess as the page repeats it to its author."""
    return "never" if iteration is None else str(iteration)


def not_whole(typed: float) -> str:
    """Why a number that is not whole is no guess, in a sentence."""
    below = math.floor(typed)
    return f"{format_number(typed)} is not an iteration: do you mean {below} or {below + 1}?"


def how_far(guess: int | None, measured: int | None) -> str:
    """How far off a guess was, in a sentence; None is never."""
    if guess == measured:
        return "You said never, and that is right." if guess is None else f"{guess} is right."
    if guess is None:
        return f"You said never, but it happens at i = {measured}."
    if measured is None:
        return f"You said {guess}, but it never happens here."
    off = f"{abs(guess - measured)} too {'late' if guess > measured else 'early'}"
    return f"You said {guess}, it is {measured}: {off}."


def in_class(guesses: Guesses, measured: int | None = None, *, is_shown: bool = False) -> str:
    """All guesses in a sentence; once the answer is shown, also how many were right."""
    if not guesses.total:
        return "No guesses yet."
    parts = [f"{guesses.total} guess{'' if guesses.total == 1 else 'es'}"]
    if guesses.counts:
        low, high = min(guesses.counts), max(guesses.counts)
        parts.append(f"from {low} to {high}" if low < high else f"at {low}")
    if guesses.never:
        parts.append(f"{guesses.never} say{'s' * (guesses.never == 1)} never")
    if is_shown:
        right = guesses.of(measured)
        parts.append(f"{right or 'none'} exactly right")
    return ", ".join(parts) + "."
