"""Claims on networks with norms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..maths.arrays import Array
from ..question.experiment import Experiment
from ..theory.profile import profile
from .claim import Claim, Measure, Source
from .combined import over
from .exacts import constant, wide_rms
from .measures import of_ensemble, of_gradients, of_runs, size

_TOPIC = "Residual and normalised nets"
_RESIDUAL = Experiment(init="kaiming_normal", activation="relu", weights="fresh", skip="identity")
_BATCHES = [{"batch_size": inputs} for inputs in (8, 16, 64, 256)]
_XIONG = Source(
    authors="Xiong et al.",
    year=2020,
    title="On layer normalization in the transformer architecture",
    where="arXiv:2002.04745",
    place="lemma 2, the stream in front of the norm of a post-norm layer, over d",
    computed="from its formula",
)
_STREAM = [{"branch_scale": alpha, "input_scale": alpha} for alpha in (1.0, 0.1)]


def _squares(layers: Sequence[int]) -> Measure:
    """E x² at some layers over that of the input, in networks sampled at once."""
    return of_ensemble(
        lambda many: np.exp2(2 * (many.log2_rms[:, list(layers)] - many.log2_rms[:, :1]))
    )


def _batch_factor(octaves: Array) -> Array:
    """The factor on E δ² per layer, without the first and the last layer."""
    return np.exp2([2 * (octaves[1] - octaves[-2]) / (len(octaves) - 3)])


CLAIMS = (
    Claim(
        name="batch-norm-gradients",
        topic=_TOPIC,
        title="Batch norm makes gradients explode",
        source=Source(
            authors="Yang et al.",
            year=2019,
            title="A mean field theory of batch normalization",
            where="arXiv:1902.08129",
            place="theorem 8: the factor on E δ² per layer, for batches of 8, 16, 64 and 256",
            computed="from its formula",
        ),
        asked="Batch norm keeps the signal in front of ReLU. What does it do to the gradient?",
        found="It grows at every layer, by a factor of at least π/(π − 1) = 1.467 on E δ².",
        seen="Going back, the gradient grows by a fifth to a quarter at every layer but the first.",
        at=tuple(f"B = {each['batch_size']}" for each in _BATCHES),
        printed=("1.788", "1.590", "1.493", "1.473"),
        experiment=_RESIDUAL.replace(
            width=256, depth=6, skip="none", norm="batch", norm_place="inside", batch_size=64
        ),
        measure=over(of_gradients(lambda back: _batch_factor(back.stats.log2_rms)), _BATCHES),
        exact=over(lambda e: _batch_factor(profile(e).log2_gradient_rms), _BATCHES),
        networks=24,
        few=6,
    ),
    Claim(
        name="post-norm-stream",
        topic=_TOPIC,
        title="The stream in front of a post-norm",
        source=_XIONG,
        asked="A normalised vector passes a Xavier MLP with a skip. How large is the sum?",
        found="Its mean square is 3/2: 1 of the skip, ½ of the branch, since ReLU halves a square.",
        seen="The rms grows by a factor of about √1.5 = 1.22.",
        at=("mean square",),
        printed=("1.500",),
        experiment=_RESIDUAL.replace(init="xavier_normal", branch="mlp", expansion=1, depth=1),
        measure=_squares([1]),
        exact=constant(1.5),
        networks=400,
        few=50,
    ),
    Claim(
        name="pre-norm-stream",
        topic=_TOPIC,
        title="The stream of a pre-norm network grows linearly",
        source=replace(_XIONG, place="lemma 2, the lower bound 1 + l/2 of the feed-forward part"),
        asked="With the norm in front of each branch: how large is the stream after l layers?",
        found="At least 1 + l/2 by the feed-forward layers alone, and attention adds to that.",
        seen="The curve of the rms bends: every layer adds ½ to the mean square.",
        at=("2 layers", "6 layers", "12 layers"),
        printed=("2.000", "4.000", "7.000"),
        experiment=_RESIDUAL.replace(
            init="xavier_normal", branch="mlp", expansion=1, depth=12, norm="layer"
        ),
        measure=_squares([2, 6, 12]),
        exact=lambda e: profile(e).second_moment[[2, 6, 12]],
        networks=100,
        few=16,
    ),
    Claim(
        name="norm-on-branch",
        topic=_TOPIC,
        title="With batch norm on the branch, blocks come near the identity",
        source=Source(
            authors="De & Smith",
            year=2020,
            title="Batch normalization biases residual blocks towards the identity function in "
            "deep networks",
            where="arXiv:2002.10444",
            place="the variance of the stream after l blocks, l + 1",
            read="as commonly quoted",
            computed="from its formula",
        ),
        asked="Why can residual networks with batch norm be trained at a thousand layers?",
        found="A branch adds 1 to a stream of mean square l: the deeper a block, the less it does.",
        seen="The mean square grows by 1 at every layer, and not by a factor.",
        at=("block 1", "block 4", "block 16"),
        printed=("2.000", "5.000", "17.000"),
        experiment=_RESIDUAL.replace(
            width=256, depth=16, branch="preactivation", norm="batch", batch_size=64
        ),
        measure=of_runs(lambda run: run.stats.rms[[1, 4, 16]] ** 2),
        exact=lambda e: wide_rms([1, 4, 16])(e) ** 2,
        networks=24,
        few=6,
    ),
    Claim(
        name="gpt-stream",
        topic=_TOPIC,
        title="100 additions to a residual stream",
        source=Source(
            authors="Karpathy",
            year=2024,
            title="Let's reproduce GPT-2",
            where="github.com/karpathy/build-nanogpt",
            place="notebook cell: a sum of 100 draws of randn(768), and with 100^-½",
        ),
        asked="A hundred branches add N(0, 1) to a stream of 768 numbers. How large does it get?",
        found="√100 times as large, unless every branch is multiplied by 100^-½, as in GPT-2.",
        seen="The std grows to about 10, along a curve that bends as the square root of the layer.",
        at=("α = 1", "α = 0.1"),
        printed=("9.81", "1.007"),
        experiment=Experiment(
            width=768,
            depth=99,
            init="lecun_normal",
            weights="fresh",
            skip="identity",
            norm="layer",
        ),
        measure=over(size("std", [-1]), _STREAM),
        exact=over(wide_rms([-1]), _STREAM),
        drawn=1,
        networks=64,
        few=16,
    ),
)
