"""A batch from a few words: ``8x3x224x224`` or ``int64:8x128:50257``."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from ..text import shown

_DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "int64": torch.int64,
    "int32": torch.int32,
}
_MOST = 2**30  # elements
_TEXT = re.compile(
    r"(?:(?P<name>[A-Za-z_]\w*)=)?(?:(?P<dtype>\w+):)?(?P<shape>\d+(?:x\d+)*)(?::(?P<below>\d+))?"
)
_ALLOWED = "a shape such as 8x3x224x224, or int64:8x128:50257 for integers below 50257"


def batch_of(
    texts: list[str], generator: torch.Generator
) -> tuple[Tensor, ...] | dict[str, Tensor]:
    """The arguments that a model is called with: keywords where the texts have names.

    Args:
        texts: of `tensor_of`, with "name=" in front for a keyword.
        generator: of the numbers.

    Raises:
        ValueError: a text is not allowed; names it. Some have names and some do not.
    """
    drawn = [tensor_of(text, generator) for text in texts]
    names = [name for name, _ in drawn if name]
    if names and len(names) < len(drawn):
        raise ValueError("--input must have a name for all inputs, or for none")
    tensors = tuple(tensor for _, tensor in drawn)
    return dict(zip(names, tensors, strict=True)) if names else tensors


def tensor_of(text: str, generator: torch.Generator) -> tuple[str, Tensor]:
    """A name, "" if there is none, and a tensor: N(0, 1), or uniform integers from 0.

    Args:
        text: [name=][dtype:]shape[:below], such as "tokens=int64:8x128:50257".
        generator: of the numbers.

    Raises:
        ValueError: it is not allowed; says what is.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise ValueError(f"--input must be {_ALLOWED}, got {shown(text)}")
    dtype, below = found["dtype"] or "float32", found["below"]
    if dtype not in _DTYPES:
        raise ValueError(f"--input must be of {', '.join(_DTYPES)}, got {shown(dtype)}")
    shape = [int(each) for each in found["shape"].split("x")]
    if not 0 < torch.Size(shape).numel() <= _MOST:
        raise ValueError(f"--input must have from 1 to {_MOST} elements, got {shown(text)}")
    is_integer = not _DTYPES[dtype].is_floating_point
    if is_integer != (below is not None) or (is_integer and not 0 < int(below or 0) < 2**31):
        raise ValueError(
            f"--input must say below which number integers are, as int64:8x128:50257, and only "
            f"theirs, got {shown(text)}"
        )
    if is_integer:
        drawn = torch.randint(int(below or 1), shape, generator=generator)
    else:
        drawn = torch.randn(shape, generator=generator)
    return found["name"] or "", drawn.to(_DTYPES[dtype])
