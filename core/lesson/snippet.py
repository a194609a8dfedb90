"""The lines with which a step's code begins, where each layer draws from a seed of its own."""

from __future__ import annotations

from ..question.streams import stream_seed
from ..simulation.script import source_lines
from .setting import Setting


def head_lines(setting: Setting) -> list[str]:
    """The lines with which a snippet begins: its size, and ``normal``, which draws from a seed."""
    return [
        "import torch",
        "",
        f"n, depth, seed = {setting.n}, {setting.depth}, {setting.seed}",
        "torch.set_num_threads(1)",
        "",
        "",
        *source_lines(stream_seed),
        "",
        "",
        "def normal(layer, *shape):",
        "    stream = torch.Generator().manual_seed(stream_seed(seed, layer))",
        "    return torch.randn(*shape, generator=stream)",
        "",
        "",
    ]
