"""Residual convolutional networks: ResNet-18 and ResNet-50, with and without batch norm.

Reference: He et al. 2016, Deep residual learning for image recognition, arXiv:1512.03385.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def norm(channels: int, *, batch_norm: bool) -> nn.Module:
    """Batch norm, or nothing."""
    return nn.BatchNorm2d(channels) if batch_norm else nn.Identity()


def _conv(inside: int, outside: int, side: int, stride: int, *, batch_norm: bool) -> nn.Conv2d:
    """A convolution; it has a bias where no norm has one."""
    return nn.Conv2d(inside, outside, side, stride, side // 2, bias=not batch_norm)


class Block(nn.Module):
    """x ↦ relu(shortcut(x) + α·branch(x)), the branch two or three convolutions.

    Args:
        inside, outside: channels of x and of the result.
        widths: (channels, side of the filter) of each convolution.
        stride: of the first filter of that side 3.
        batch_norm: whether every convolution has batch norm behind it.
        scale: α.
    """

    def __init__(
        self,
        inside: int,
        outside: int,
        widths: Sequence[tuple[int, int]],
        stride: int,
        *,
        batch_norm: bool,
        scale: float,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels, left = inside, stride
        for k, (width, side) in enumerate(widths):
            step, left = (left, 1) if side == 3 else (1, left)
            layers += [nn.ReLU(inplace=True)] if k else []
            layers += [
                _conv(channels, width, side, step, batch_norm=batch_norm),
                norm(width, batch_norm=batch_norm),
            ]
            channels = width
        self.branch = nn.Sequential(*layers)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inside != outside:
            self.shortcut = nn.Sequential(
                _conv(inside, outside, 1, stride, batch_norm=batch_norm),
                norm(outside, batch_norm=batch_norm),
            )
        self.scale = scale
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """From (inputs, inside, height, width) to (inputs, outside, height/stride, …)."""
        branch = self.branch(x)
        if self.scale != 1:
            branch = self.scale * branch
        return self.relu(self.shortcut(x) + branch)


class ResNet(nn.Module):
    """A stem, four stages of blocks, and a linear layer on the mean over the image.

    Args:
        blocks: of each stage.
        bottleneck: whether a branch is 1 × 1, 3 × 3, 1 × 1 with four times the channels at its end.
        batch_norm: whether there is batch norm.
        scale: what every branch is multiplied by.
        width: channels of the first stage; each stage has twice those of the one before.
        classes: outputs.
    """

    def __init__(
        self,
        blocks: Sequence[int],
        *,
        bottleneck: bool,
        batch_norm: bool = True,
        scale: float = 1.0,
        width: int = 64,
        classes: int = 1000,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, width, 7, 2, 3, bias=not batch_norm),
            norm(width, batch_norm=batch_norm),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        stages, inside = [], width
        for stage, count in enumerate(blocks):
            channels = width * 2**stage
            outside = 4 * channels if bottleneck else channels
            widths = [(channels, 1), (channels, 3), (outside, 1)]
            stages.append(
                nn.Sequential(
                    *(
                        Block(
                            outside if k else inside,
                            outside,
                            widths if bottleneck else [(channels, 3)] * 2,
                            2 if stage and not k else 1,
                            batch_norm=batch_norm,
                            scale=scale,
                        )
                        for k in range(count)
                    )
                )
            )
            inside = outside
        self.stages = nn.Sequential(*stages)
        self.head = nn.Linear(inside, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Logits (inputs, classes) of images (inputs, 3, height, width)."""
        return self.head(self.stages(self.stem(images)).mean((2, 3)))


def end_branches_at_zero(model: nn.Module) -> None:
    """Set the γ of the last batch norm of every branch to 0: each block begins as its shortcut.

    Reference: Goyal et al. 2017, Accurate, large minibatch SGD, arXiv:1706.02677, section 5.1.
    """
    for block in model.modules():
        if isinstance(block, Block):
            last = [each for each in block.branch if isinstance(each, nn.BatchNorm2d)][-1:]
            for each in last:
                nn.init.zeros_(each.weight)


def generator(seed: int) -> torch.Generator:
    """Random numbers of a seed."""
    return torch.Generator().manual_seed(seed)
