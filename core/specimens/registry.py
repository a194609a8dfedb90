"""SPECIMENS: the networks of the page, from a multilayer perceptron to GPT-2's blocks."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from .drawing import LABELS, draw
from .plain import ACTIVATIONS, LSTM, lenet, mlp, vgg_16
from .residual import ResNet, end_branches_at_zero
from .specimen import Control, Specimen, Values
from .transformers import GPT, ViT, draw_as_gpt

_MIB = 2**20
_TOKENS = 8192  # of the page's GPT-2, where the published one has 50257: its blocks are the same
_BATCH_NORM = {"yes": "with", "no": "without"}
_ABOUT_NORM = "Batch norm behind every matrix, or none."
_NORM_PLACES = {"before": "before (pre-norm)", "after": "after (post-norm)", "none": "none"}
_SCALES = {"1": "1", "1/sqrt(L)": "1/√L"}


def _sizes(*numbers: int) -> dict[str, str]:
    return {str(number): str(number) for number in sorted(numbers)}


def _drawn_by(*names: str) -> Control:
    choices = {name: LABELS[name] for name in names}
    return Control("init", "Weights", choices, "The rule by which all matrices are drawn.")


def _depth(*numbers: int) -> Control:
    """How deep; the first number is the usual one."""
    about = "How many layers or blocks there are."
    return Control("depth", "Depth", _sizes(*numbers), about, str(numbers[0]))


def _width(*numbers: int) -> Control:
    """How wide; the first number is the usual one."""
    about = "How many units a layer has."
    return Control("width", "Width", _sizes(*numbers), about, str(numbers[0]))


def _norm() -> Control:
    return Control("norm", "Batch norm", _BATCH_NORM, _ABOUT_NORM)


def _place() -> Control:
    return Control("place", "Layer norm", _NORM_PLACES, "Where a block has its layer norm.")


def _phi(first: str) -> Control:
    names = dict.fromkeys([first, *ACTIVATIONS])
    choices = {name: name for name in names}
    return Control("activation", "Activation", choices, "The activation of every hidden layer.")


Batch = Callable[[torch.Generator], tuple[Tensor, Tensor]]


def _images(count: int, channels: int, side: int, classes: int) -> Batch:
    def drawn(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        pixels = torch.randn(count, channels, side, side, generator=generator)
        return pixels, torch.randint(classes, (count,), generator=generator)

    return drawn


def _texts(count: int, length: int, tokens: int) -> Batch:
    """Random tokens, and for each of them the one that follows it."""

    def drawn(generator: torch.Generator) -> tuple[Tensor, Tensor]:
        text = torch.randint(tokens, (count, length + 1), generator=generator)
        return text[:, :-1], text[:, 1:]

    return drawn


def _mlp(v: Values) -> nn.Module:
    plain = mlp(
        int(v["depth"]),
        int(v["width"]),
        activation=v["activation"],
        batch_norm=v["norm"] == "yes",
    )
    return draw(plain, v["init"])


def _resnet(blocks: tuple[int, ...], *, bottleneck: bool) -> Callable[[Values], nn.Module]:
    def build(v: Values) -> nn.Module:
        scale = 1.0 if v["scale"] == "1" else sum(blocks) ** -0.5
        normed = v["norm"] == "yes"
        model = ResNet(blocks, bottleneck=bottleneck, batch_norm=normed, scale=scale)
        draw(model, v["init"])
        if v["gamma"] == "0":
            end_branches_at_zero(model)
        return model

    return build


def _gpt_2(v: Values) -> nn.Module:
    depth, width = int(v["depth"]), int(v["width"])
    model = GPT(depth, width, width // 64, vocabulary=_TOKENS, norm_place=v["place"])
    draw_as_gpt(model, end_of_branch=1.0 if v["end"] == "1" else (2 * depth) ** -0.5)
    return model


def _vit(v: Values) -> nn.Module:
    depth, width = int(v["depth"]), int(v["width"])
    scale = 1.0 if v["scale"] == "1" else (2 * depth) ** -0.5
    model = ViT(depth, width, width // 64, norm_place=v["place"], scale=scale)
    return draw(model, v["init"])


_OF_RESNET = (
    _norm(),
    _drawn_by("kaiming_fan_out", "default", "kaiming_normal", "lecun_normal"),
    Control(
        "gamma",
        "Last γ of a branch",
        {"1": "1", "0": "0"},
        "0 lets every block begin as its shortcut (Goyal et al. 2017); without norm there is none.",
    ),
    Control(
        "scale", "Branch times", _SCALES, "Every branch is multiplied by it; there are L blocks."
    ),
)

SPECIMENS: dict[str, Specimen] = {
    each.name: each
    for each in (
        Specimen(
            "mlp",
            "Multilayer perceptron",
            "The lesson's own network. PyTorch's default makes its gradient vanish with depth.",
            (
                _depth(10, 5, 20, 30, 50, 100),
                _width(256, 64, 128, 512),
                _phi("relu"),
                _drawn_by(
                    *("default", "kaiming_normal", "lecun_normal", "xavier_normal"),
                    *("normal", "small"),
                ),
                Control("norm", "Batch norm", dict(reversed(_BATCH_NORM.items())), _ABOUT_NORM),
            ),
            _mlp,
            _images(64, 1, 28, 10),
            positions=64,
            inside=150 * _MIB,
        ),
        Specimen(
            "lenet",
            "LeNet-5",
            "Five layers with weights: with tanh, shallow enough for PyTorch's default.",
            (
                _phi("tanh"),
                _drawn_by("default", "kaiming_normal", "xavier_normal", "normal", "small"),
            ),
            lambda v: draw(lenet(activation=v["activation"]), v["init"]),
            _images(32, 1, 28, 10),
            positions=300,
            inside=50 * _MIB,
        ),
        Specimen(
            "vgg_16",
            "VGG-16",
            "Deep without skips: its authors had to train a shallower one first, and to begin with "
            "that.",
            (
                Control("norm", "Batch norm", dict(reversed(_BATCH_NORM.items())), _ABOUT_NORM),
                _drawn_by("default", "kaiming_normal", "kaiming_fan_out", "small"),
            ),
            lambda v: draw(vgg_16(batch_norm=v["norm"] == "yes"), v["init"]),
            _images(2, 3, 112, 1000),
            positions=520,
            inside=300 * _MIB,
        ),
        Specimen(
            "resnet_18",
            "ResNet-18",
            "Skips and batch norm. Take the norm away, and the stream grows from block to block.",
            _OF_RESNET,
            _resnet((2, 2, 2, 2), bottleneck=False),
            _images(4, 3, 112, 1000),
            positions=170,
            inside=200 * _MIB,
        ),
        Specimen(
            "resnet_50",
            "ResNet-50",
            "Sixteen blocks of three matrices. Without batch norm each about doubles the variance.",
            _OF_RESNET,
            _resnet((3, 4, 6, 3), bottleneck=True),
            _images(4, 3, 112, 1000),
            positions=170,
            inside=500 * _MIB,
        ),
        Specimen(
            "lstm",
            "LSTM",
            "A forget bias of 1 lets its memory last (Jozefowicz et al. 2015).",
            (
                _depth(2, 1, 4),
                _width(256, 128, 512),
                Control("forget", "Forget bias", {"0": "0", "1": "1"}, "Added to that of PyTorch."),
            ),
            lambda v: LSTM(int(v["depth"]), int(v["width"]), forget_bias=float(v["forget"])),
            _texts(8, 64, 256),
            positions=512,
            inside=150 * _MIB,
        ),
        Specimen(
            "gpt_2",
            "GPT-2 small's blocks",
            "Weights from N(0, 0.02²), and those at the end of each branch times 1/√(2L), so that "
            "all of them together add as much as one would. It has "
            f"{_TOKENS} tokens instead of 50257.",
            (
                _depth(12, 2, 6, 24),
                _width(768, 192, 384),
                Control(
                    "end",
                    "End of a branch",
                    {"1/sqrt(2L)": "times 1/√(2L)", "1": "times 1"},
                    "What the last matrix of each branch is multiplied by.",
                ),
                _place(),
            ),
            _gpt_2,
            _texts(2, 64, _TOKENS),
            positions=128,
            inside=300 * _MIB,
        ),
        Specimen(
            "vit",
            "ViT-tiny",
            "A transformer of patches of an image, 12 blocks of width 192.",
            (
                _depth(12, 6, 24),
                _width(192, 384),
                _drawn_by("trunc_normal", "default", "xavier_normal", "normal"),
                _place(),
                Control(
                    "scale",
                    "Branch times",
                    {"1": "1", "1/sqrt(2L)": "1/√(2L)"},
                    "Each of the 2L branches of L blocks is multiplied by it.",
                ),
            ),
            _vit,
            _images(4, 3, 224, 1000),
            positions=800,
            inside=250 * _MIB,
        ),
    )
}
"""Name -> Specimen, in the order of the page."""
