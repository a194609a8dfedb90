"""Random streams: one for every layer, all derived from the seed of the run."""

from __future__ import annotations

GRADIENT_STREAM = 2**40
"""The "layer" whose stream draws the gradient at the output: beyond every other stream."""


def stream_seed(seed: int, layer: int) -> int:
    """The seed of one layer's random stream: SplitMix64 of the run's seed and the layer number.

    Neighbouring seeds and layers give unrelated streams. A layer's stream does not depend on the
    depth. torch's CPU generator uses the lower 32 bits of a seed alone, so the finaliser mixes the
    upper half into them.

    Args:
        seed: the run's seed, 0 … 2⁶³−1.
        layer: 0 for the input, k for the parameters of layer k.

    Returns:
        A number in [0, 2⁶⁴).

    Reference: Steele, Lea & Flood 2014, Fast splittable pseudorandom number generators.
    """
    z = (seed + (layer + 1) * 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return z ^ z >> 31
