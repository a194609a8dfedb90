"""The words about a student's guess."""

from __future__ import annotations

from math import isinf
from typing import Literal, NamedTuple

from ..text import products
from .result import Result
from .step import Guess
from .words import answer_text, rounded


class Feedback(NamedTuple):
    """A guess beside the answer.

    Attributes:
        kind: "good" for a right guess, "far" for a wrong one, "open" for one that was made about
            another size and is not judged.
        verdict: a few words.
        words: the guess and the answer.
    """

    kind: Literal["good", "far", "open"]
    verdict: str
    words: str


def feedback(guess: Guess, made: float | str, asked: tuple[int, int], result: Result) -> Feedback:
    """Judge a guess, at the size at which the question was asked.

    Args:
        guess: the question.
        made: the student's guess.
        asked: the width and the depth for which it was made.
        result: the answer on screen.

    Raises:
        ValueError: the guess is not one that ``guess`` accepts.
    """
    good, here = guess.accepts(made, result.right), (result.setting.n, result.setting.depth)
    if asked != here:
        n, depth = asked
        then = f"You said {_named(made)} for n = {n} and {products(depth)}."
        return Feedback("open", "Another size.", f"{then} Here it is: {answer_text(result.right)}.")
    if guess.kind == "choice":
        answer = f"It is: {result.right}."
        if good:
            return Feedback("good", "Right.", answer)
        return Feedback("far", "Not quite.", f"You said: {made}. {answer}")
    return _of_number(guess, float(made), float(result.right), good=good)


def _named(made: float | str) -> str:
    return f"“{made}”" if isinstance(made, str) else rounded(made)


def _of_number(guess: Guess, value: float, target: float, *, good: bool) -> Feedback:
    said, right = rounded(value), rounded(target)
    if good and said == right:
        return Feedback("good", "Right.", f"It is {right}.")
    if good:
        return Feedback("good", "Close enough:", f"you said {said}, it is {right}.")
    if isinf(target):
        words = f"You said {said}, but at this size it never happens."
    elif guess.judged == "difference" or value * target <= 0:
        words = f"You said {said}, it is {right}: {rounded(abs(value - target))} off."
    else:
        factor = max(value / target, target / value)
        words = f"You said {said}, it is {right}: a factor of {rounded(factor)} off."
    return Feedback("far", "Not quite.", words)
