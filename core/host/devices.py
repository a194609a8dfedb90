"""The devices that this host has."""

from __future__ import annotations

import torch


def available_devices() -> list[str]:
    """The names that ``propagate`` accepts on this host, apart from "auto"."""
    return ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]


def resolve_device(name: str) -> torch.device:
    """The device meant by "cpu", "cuda", "cuda:1" or "auto" (CUDA if there is one).

    Raises:
        ValueError: for any other name, or one that this host does not have.
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
