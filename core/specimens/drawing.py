"""How a specimen's weights are drawn: by PyTorch's own default, or by one rule for all matrices."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

DRAWS: dict[str, Callable[[Tensor], object] | None] = {
    "default": None,
    "kaiming_normal": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
    "kaiming_fan_out": lambda w: nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"),
    "lecun_normal": lambda w: nn.init.kaiming_normal_(w, nonlinearity="linear"),
    "xavier_normal": nn.init.xavier_normal_,
    "trunc_normal": lambda w: nn.init.trunc_normal_(w, std=0.02),
    "normal": lambda w: nn.init.normal_(w),
    "small": lambda w: nn.init.normal_(w, std=0.01),
}
"""Name -> what fills a matrix; None leaves PyTorch's own numbers."""

LABELS = {
    "default": "PyTorch's default",
    "kaiming_normal": "kaiming_normal",
    "kaiming_fan_out": "kaiming_normal, fan_out",
    "lecun_normal": "LeCun's, 1/√fan_in",
    "xavier_normal": "xavier_normal",
    "trunc_normal": "trunc_normal, std 0.02",
    "normal": "N(0, 1)",
    "small": "N(0, 0.01²)",
}
"""Name -> label."""


def draw(model: nn.Module, name: str) -> nn.Module:
    """Draw all matrices of a model by a rule, and set their biases to 0; returns the model.

    Args:
        model: changed in place.
        name: a key of DRAWS.
    """
    fill = DRAWS[name]
    if fill is None:
        return model
    modules = list(model.modules())
    has_images = any(isinstance(each, nn.Conv2d) and each.kernel_size == (3, 3) for each in modules)
    for module in modules:
        if isinstance(module, nn.Conv2d if has_images else (nn.Linear, nn.Conv2d)):
            fill(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return model
