"""The sentences on the laws of layers norm_after(skip(x) + α·branch(x))."""

from __future__ import annotations

from ..question.experiment import Experiment
from ..text import significant
from .block_law import BlockLaw, networks
from .residual_gradient import mean_square_gradient

_OFF = 0.2  # octaves by which infinite width may miss a gradient untold
_ROUGHEST_BACK = 0.4  # likewise on the way back: about eight units carry the gradient


def of(e: Experiment) -> str:
    """One sentence that names the law of the signal, and where it holds."""
    words = (
        f"Expected range: approximate, from {networks(e.depth):,} networks sampled by the mean and "
        "the variance of x; good for wide layers."
    )
    if e.layer.product.law == "independent":
        words += " Others than Gaussian weights differ by O(1/n)."
    return words


def missing(e: Experiment) -> str | None:
    """Why no law is known for a layer or an input; None if one is."""
    if e.norm == "batch":
        return "No law is known for batch norm."
    if e.batch_size > 1:
        return "No law is known for several inputs at once."
    what = f"the input {e.input}" if e.layer.is_plain else "a skip, a norm or another branch"
    if e.weights == "tied":
        return f"No law is known for one matrix at every step together with {what}."
    if e.layer.product.law == "orthogonal":
        return f"No law is known for orthogonal weights together with {what}."
    if not e.layer.is_plain and e.branch == "preactivation" and e.input != "normal":
        return f"No law is known for the input {e.input} where φ comes before the product."
    return None


def of_gradient(e: Experiment, law: BlockLaw) -> tuple[str, bool]:
    """The sentence on the law of the gradient, and whether it holds.

    Args:
        e: the question.
        law: its law.
    """
    if not law.rough_back <= _ROUGHEST_BACK:
        few = f"too few of {e.width} units carry it through {e.activation}"
        return f"No law of the gradient is known: {few}.", False
    words = "Expected range: approximate, sampled with the signal; good for wide layers."
    if e.branch == "product" and e.skip == "identity" and e.norm == "none":
        off = float(mean_square_gradient(e).octaves_off[0])
        if off > _OFF:
            words += (
                " One direction stands out, and the gradient goes as |N(0, 1)|: infinite width has "
                f"an rms smaller by a factor of {significant(2.0**off)} at layer 0."
            )
    return words, True
