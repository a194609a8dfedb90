"""The law of a signal's lengths that is known for an experiment, and the work of computing it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from ..layer.inputs import largest_of
from ..layer.typed_activation import loses_parts_from
from ..maths.arrays import LOG2
from ..question.experiment import Experiment
from . import block_law, block_words, gradient_law, homogeneous_law, markov_law, tied_law
from .block_law import BlockLaw
from .length_law import LengthLaw

_ROUGHEST = 0.1  # the largest relative variance of one layer's step that is taken as lognormal
_MOST_OF_ALL = 0.99  # a level: few networks are beyond it
_ROUGHEST_BACK = 0.4  # likewise on the way back: about eight units carry the gradient


@dataclass(frozen=True)
class KnownLaw:
    """The law of an experiment before it is computed.

    Attributes:
        words: one sentence that names the law and where it holds, or says why there is none.
        law: computes it; or says in a sentence why it does not hold. None where none is known.
        multiply_adds: the work of computing it, or of finding that it does not hold.
        is_sampled: whether it is a `BlockLaw`, which holds the laws of std and gradient too.
    """

    words: str
    law: Callable[[], LengthLaw | BlockLaw | str] | None = None
    multiply_adds: float = 0.0
    is_sampled: bool = False


def known_law(e: Experiment) -> KnownLaw:
    """The law that is known for an experiment, if there is one.

    Args:
        e: the question.
    """
    known, limit = _known_of_phi(e), loses_parts_from(e.phi, e.format.product_dtype)
    if known.law is None or limit == np.inf:
        return known
    compute = known.law
    part = f"in {e.number_format} a part of {e.activation} leaves the range"
    lost = f"No law is known: {part} where φ itself does not."

    def law() -> LengthLaw | BlockLaw | str:
        found = compute()
        if isinstance(found, str):
            return found
        return lost if isinstance(found, BlockLaw) or _reaches(e, found, limit) else found

    return replace(known, law=law)


def _reaches(e: Experiment, law: LengthLaw, limit: float) -> bool:
    """Whether pre-activations come near a size, in all but a few networks."""
    square = e.layer.affine.log_square(2 * law.quantiles((_MOST_OF_ALL,))[0][:-1], LOG2)
    return bool(np.max(square) / 2 + np.log2(largest_of(e.width)) > np.log2(limit) - 1)


def _known_of_phi(e: Experiment) -> KnownLaw:
    """The law that is known where φ is in numbers what it is in mathematics."""
    kind, linear = e.layer.product.law, e.layer.is_one_product
    if e.weight_std == 0:
        return KnownLaw("No law is needed: every weight is 0.")
    if e.input_scale == 0:
        return KnownLaw("No law is needed: the input is 0.")
    if kind == "other":
        return KnownLaw(f"No law is known for the initialiser {e.init}.")
    if not e.layer.is_plain or e.input != "normal":
        return _block(e)
    if kind == "orthogonal" and linear:
        words = "Exact: an orthogonal matrix keeps every length; only the input is random."
        return _homogeneous(e, e.batch_size, words)
    if e.batch_size > 1:
        return KnownLaw("No law is known for several inputs at once.")
    return _tied(e, linear) if e.weights == "tied" else _fresh(e)


def _block(e: Experiment) -> KnownLaw:
    """Of layers with a skip, a norm or another branch, and of inputs that are not normal."""
    missing = block_words.missing(e)
    if missing is not None:
        return KnownLaw(missing)
    too_small = f"Width {e.width} is too small for the law of such layers."
    if e.width < block_law.NARROWEST:
        return KnownLaw(too_small)

    def law() -> BlockLaw | str:
        found = block_law.block_law(e)
        return too_small if found.rough > _ROUGHEST else found

    return KnownLaw(block_words.of(e), law, block_law.work(e), is_sampled=True)


def _tied(e: Experiment, linear: bool) -> KnownLaw:
    if not linear:
        what = f"{e.activation}" + (" and a bias" if e.bias_std else "")
        return KnownLaw(f"No law is known for one matrix at every step together with {what}.")
    if e.depth >= e.width:
        return KnownLaw(
            "No law is known for one matrix used as many times as it has columns, or more."
        )
    deepest = tied_law.DEEPEST
    if e.depth > deepest:
        words = f"The law of one matrix at every step is computed up to {deepest} products."
        return KnownLaw(words)
    gaussian = e.layer.product.law == "gaussian"
    limit = "" if gaussian else "; for Gaussian weights, others differ by O(1/n)"
    return KnownLaw(
        f"Expected range: exact for one repeated Gaussian matrix, from {tied_law.DRAWS:,} sampled "
        f"networks{limit}.",
        lambda: (
            tied_law.tied_law(e.width, e.depth)
            .shifted(float(np.log2(e.sigma_w)))
            .raised(float(np.log2(e.input_scale)))
        ),
        tied_law.work(e.depth),
    )


def _fresh(e: Experiment) -> KnownLaw:
    law = e.layer.product.law
    if e.layer.degree == 1:
        words = "Exact for the rms at this width: every layer multiplies it by a factor of its own."
        only = " Exact for Gaussian weights; here up to O(1/n)." if law == "independent" else ""
        return _homogeneous(e, 1, words + only)
    if law == "orthogonal" and e.bias_std:
        return KnownLaw("No law is known for orthogonal weights together with a bias.")
    too_small = f"Width {e.width} is too small for the law of {e.activation}."
    what = (e.sigma_w, e.bias_std, law != "orthogonal", float(np.log2(e.input_scale)))
    first = _chain(e.activation, e.width, 1, *what)[1]
    if first > _ROUGHEST:
        return KnownLaw(too_small, multiply_adds=markov_law.work(1))

    def chain() -> LengthLaw | str:
        found, roughest = _chain(e.activation, e.width, e.depth, *what)
        return too_small if roughest > _ROUGHEST else found

    return KnownLaw(
        f"Expected range: approximate for {e.activation}, good for wide layers.",
        chain,
        markov_law.work(e.depth) + _likely(first) * gradient_law.work(e.depth),
    )


def _likely(first: float) -> float:
    """How likely a law that is this rough at its first layer holds at the last, by experience.

    Where it does not hold, no law of the gradient is computed.
    """
    return 0.5 if first > _ROUGHEST / 3 else 1.0


def law_back(e: Experiment, law: LengthLaw) -> tuple[str, LengthLaw | None]:
    """A sentence on the law of log2 rms of δ at layers 0 … depth, for δ_L ~ N(0, 1), and the law.

    The law is None where so few units carry the gradient that it does not hold.

    Args:
        e: the question, whose signal has a known law.
        law: the law of the signal.
    """
    kind = e.layer.product.law
    others = " Others than Gaussian weights differ by O(1/n)." if kind == "independent" else ""
    if e.layer.degree == 1:
        words = "The law of x read backwards: the factors have the same law."
        return words + others, law.raised(-float(np.log2(e.input_scale))).from_the_end
    sigmas, raised = (e.sigma_w, e.bias_std), float(np.log2(e.input_scale))
    what = (e.activation, e.width, e.depth, *sigmas, kind != "orthogonal", raised)
    back, roughest = _chain_back(*what)
    if not roughest <= _ROUGHEST_BACK:
        few = f"too few of {e.width} units carry it through {e.activation}"
        return f"No law of the gradient is known: {few}.", None
    words = (
        f"Expected range: approximate for {e.activation}, good for wide layers; too narrow where "
        "the signal grows on and few units carry the gradient."
    )
    return words + others, back


@lru_cache(maxsize=16)
def _chain_back(
    activation: str,
    width: int,
    depth: int,
    sigma_w: float,
    sigma_b: float,
    gaussian: bool,
    raised: float,
) -> tuple[LengthLaw, float]:
    what = activation, width, depth, sigma_w, sigma_b
    law, _ = _chain(*what, gaussian, raised)
    return gradient_law.gradient_law(activation, width, sigma_w, sigma_b, law, gaussian=gaussian)


@lru_cache(maxsize=32)
def _chain(
    activation: str,
    width: int,
    depth: int,
    sigma_w: float,
    sigma_b: float,
    gaussian: bool,
    raised: float,
) -> tuple[LengthLaw, float]:
    what = activation, width, depth, sigma_w, sigma_b
    return markov_law.markov_law(*what, gaussian=gaussian, start=raised)


def _homogeneous(e: Experiment, inputs: int, words: str) -> KnownLaw:
    slopes = e.layer.elementwise.slopes
    assert slopes is not None  # of a positively homogeneous φ, φ(0) is 0
    below, above = (abs(slope) for slope in slopes)
    gaussian = e.layer.product.law != "orthogonal"

    def law() -> LengthLaw:
        shape = (e.width, e.depth, inputs)
        found = homogeneous_law.homogeneous_law(*shape, above=above, below=below, gaussian=gaussian)
        moved = found.shifted(float(np.log2(e.sigma_w)))
        return moved.raised(float(np.log2(e.input_scale)))

    work = homogeneous_law.work(e.width, e.depth, bends=above != below, gaussian=gaussian)
    return KnownLaw(words, law, work)
