"""The devices of this host."""

from __future__ import annotations

import torch


def available_devices() -> list[str]:
    """The device names that ``propagate`` accepts on this host, besides "auto" and "cuda"."""
    return ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]


def resolve_device(name: str) -> torch.device:
    """The device that a name stands for.

    Args:
        name: "cpu", "cuda" or "cuda:1", for example; "auto" is CUDA if the host has it, else the
            CPU.

    Raises:
        ValueError: this host has no such device; names those that it has.
    """
    present = available_devices()
    cuda = present[1:]
    if name == "auto":
        return torch.device((cuda or present)[0])
    if name == "cuda" and cuda:
        return torch.device(cuda[0])
    if name in present:
        return torch.device(name)
    raise ValueError(f"device must be one of auto, {', '.join(present)} on this host, got {name!r}")
