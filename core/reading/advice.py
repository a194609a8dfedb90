"""Advice on an activation: what gain/√n does to a signal at this depth, and what holds it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ..layer.activations import Activation
from ..layer.bias import Bias
from ..layer.elementwise import Elementwise
from ..layer.moments import Phi, activation
from ..layer.product import Product
from ..layer.stack import Layer
from ..maths.arrays import Array
from ..text import of_octaves, significant
from ..theory import mean_field
from ..theory.basins import basin
from ..theory.lengths import log2_rms

_HOLDS = 4.0  # octaves: a signal that ends within 1/16 … 16 of where it began holds
_LONG = 1000  # layers after which a signal that does not hold has left that range
_LENGTHS: Array = 10.0 ** np.arange(-2.0, 3.0 + 1 / 16, 1 / 8)  # q along the edge of chaos
_FIRM = 0.995  # V′(q) above it holds a signal so weakly that the width of a network decides


@dataclass(frozen=True)
class Advice:
    """The fate of a unit signal with weights of std gain/√n, and the network that holds it.

    All sizes are those at infinite width, for an input of N(0, 1).

    Attributes:
        log2_rms: of x after the last layer, with weights of std gain/√n and no bias.
        per_layer: the factor on the rms in the last layer.
        sigma_w, sigma_b: of a network on the edge of chaos that holds the signal, or None.
        held_rms: the rms of x after the last layer of that network; None if there is none.
        sentence: the advice in words.
    """

    log2_rms: float
    per_layer: float
    sigma_w: float | None
    sigma_b: float | None
    held_rms: float | None
    sentence: str


def network(phi: Activation, sigma_w: float, sigma_b: float) -> Layer:
    """A layer of infinite width."""
    return Layer((Product(sigma_w), Bias(sigma_b), Elementwise(phi)))


@lru_cache(maxsize=256)
def _advice(phi: Activation, depth: int) -> Advice:
    gain = mean_field.gain(phi)
    sizes = log2_rms(network(phi, gain, 0.0), depth)
    last, per_layer = float(sizes[-1]), float(np.exp2(sizes[-1] - sizes[-2]))
    edge = _edge(phi)
    held = None
    if edge is not None:
        held = float(np.exp2(log2_rms(network(phi, *edge), depth)[-1]))
    sigma_w, sigma_b = edge or (None, None)
    words = _of_gain(phi, sizes) + _of_edge(phi, depth, edge, held)
    return Advice(last, per_layer, sigma_w, sigma_b, held, words)


@lru_cache(maxsize=64)
def _fate(phi: Activation) -> float:
    """log2 rms after many layers with weights of std gain/√n."""
    return float(log2_rms(network(phi, mean_field.gain(phi), 0.0), _LONG)[-1])


@lru_cache(maxsize=64)
def _edge(phi: Activation) -> tuple[float, float] | None:
    """(σ_w, σ_b) on the edge of chaos at which a unit input settles, at the q nearest to 1."""
    if phi.positively_homogeneous:
        return mean_field.gain(phi), 0.0
    sigma_w, sigma_b = mean_field.edge_curve(phi, _LENGTHS)
    slopes = sigma_w**2 * mean_field.second_moment_slope(phi, _LENGTHS)
    firm = np.flatnonzero(np.isfinite(sigma_w) & (slopes < _FIRM))
    for place in firm[np.argsort(np.abs(np.log(_LENGTHS[firm])), kind="stable")]:
        weight, bias = float(sigma_w[place]), float(sigma_b[place])
        if basin(phi, weight, bias, float(_LENGTHS[place])).holds(weight**2 + bias**2):
            return weight, bias
    return None


def _of(octaves: float) -> str:
    """A size after "an rms"."""
    size = of_octaves(octaves)
    return f"of {size}" if size[0].isdigit() and " " not in size else f"that is {size}"


def _of_gain(phi: Activation, sizes: Array) -> str:
    """The effect of weights of std gain/√n, in a sentence."""
    depth, last = len(sizes) - 1, float(sizes[-1])
    if phi.positively_homogeneous:
        return (
            "In a wide network weights of std gain/√n keep the rms of every signal, at every depth."
        )
    layers = f"{depth} layer{'' if depth == 1 else 's'}"
    rms = f"an rms {_of(last)} after {layers}"
    fate = _fate(phi)
    if abs(fate) <= _HOLDS:
        return f"In a wide network weights of std gain/√n hold a unit signal: it has {rms}."
    goes = "grow" if fate > 0 else "shrink"
    return f"In a wide network weights of std gain/√n let a unit signal {goes}: it has {rms}."


def _of_edge(
    phi: Activation, depth: int, edge: tuple[float, float] | None, held: float | None
) -> str:
    """What to use on the edge of chaos."""
    if edge is None or held is None:
        return " No σ_w and σ_b on the edge of chaos hold it."
    if phi.positively_homogeneous:
        return ""
    sigma_w, sigma_b = (significant(value, 4) for value in edge)
    return (
        f" On the edge of chaos weights of std σ_w/√n, σ_w = {sigma_w}, with biases of std "
        f"σ_b = {sigma_b} hold it, at an rms of {significant(held)} after {depth} "
        f"layer{'' if depth == 1 else 's'}."
    )


def advice(phi: Phi, depth: int) -> Advice:
    """The advice on an activation in a network of a given depth.

    Args:
        phi: the activation, or its registry name.
        depth: the number of layers, at least 1.

    Raises:
        ValueError: no activation has that name.
    """
    return _advice(activation(phi), depth)
