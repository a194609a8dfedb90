"""Networks without skips: a multilayer perceptron, LeNet, VGG-16, and an LSTM.

References: LeCun et al. 1998, Gradient-based learning applied to document recognition; Simonyan &
Zisserman 2015, arXiv:1409.1556; Hochreiter & Schmidhuber 1997, Long short-term memory.
"""

from __future__ import annotations

from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "gelu": nn.GELU,
    "selu": nn.SELU,
}
"""Name -> module."""

_VGG_16 = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)  # 0: pool


def mlp(
    depth: int, width: int, *, activation: str = "relu", batch_norm: bool = False, classes: int = 10
) -> nn.Sequential:
    """``depth`` hidden layers of ``width`` units on 784 pixels, and a linear layer of logits."""
    layers: list[nn.Module] = [nn.Flatten()]
    inside = 28 * 28
    for _ in range(depth):
        layers.append(nn.Linear(inside, width))
        layers += [nn.BatchNorm1d(width)] if batch_norm else []
        layers.append(ACTIVATIONS[activation]())
        inside = width
    return nn.Sequential(*layers, nn.Linear(inside, classes))


def lenet(*, activation: str = "tanh", classes: int = 10) -> nn.Sequential:
    """LeNet-5 on images of 28 × 28 pixels, without its trained pooling."""
    phi = ACTIVATIONS[activation]
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        phi(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5),
        phi(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120),
        phi(),
        nn.Linear(120, 84),
        phi(),
        nn.Linear(84, classes),
    )


def vgg_16(*, batch_norm: bool = False, width: int = 64, classes: int = 1000) -> nn.Sequential:
    """VGG-16 with one linear layer of logits on the mean over the image.

    Args:
        batch_norm: whether every convolution has batch norm behind it.
        width: channels of the first two convolutions; the others have as many times more.
        classes: outputs.
    """
    layers: list[nn.Module] = []
    inside = 3
    for channels in _VGG_16:
        if not channels:
            layers.append(nn.MaxPool2d(2))
            continue
        outside = channels * width // 64
        layers.append(nn.Conv2d(inside, outside, 3, padding=1))
        layers += [nn.BatchNorm2d(outside)] if batch_norm else []
        layers.append(nn.ReLU(inplace=True))
        inside = outside
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inside, classes)]
    return nn.Sequential(*layers)


class LSTM(nn.Module):
    """Tokens, some layers of LSTM, and logits of the next token.

    Args:
        depth, width: of the LSTM.
        vocabulary: how many tokens there are.
        forget_bias: what is added to the bias of the forget gates.
    """

    def __init__(
        self, depth: int, width: int, *, vocabulary: int = 256, forget_bias: float = 0.0
    ) -> None:
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.lstm = nn.LSTM(width, width, depth, batch_first=True)
        self.head = nn.Linear(width, vocabulary)
        for name, bias in self.lstm.named_parameters():
            if name.startswith("bias_hh"):
                nn.init.constant_(bias[width : 2 * width], forget_bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits (inputs, tokens, vocabulary) of tokens (inputs, tokens)."""
        hidden, _ = self.lstm(self.tokens(tokens))
        return self.head(hidden)
