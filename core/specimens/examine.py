"""A specimen checked as any model is."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import torch
from torch import nn

from ..probe.check import check_built
from ..probe.measure import Ask
from ..probe.report import Report
from .specimen import Specimen, Values

_DATA = 1  # the seed of the batch
_DRAWING = Lock()  # torch.nn draws from one random state, whatever the thread


def examine(
    specimen: Specimen,
    values: Values,
    *,
    seeds: int = 1,
    number_format: str = "float32",
    tell: Callable[[float], None] = lambda fraction: None,
) -> Report:
    """The report on a specimen, built anew for every seed.

    Args:
        specimen: what is built.
        values: of its controls; the usual ones where they are not given.
        seeds: how often it is built, from seed 0 on.
        number_format: the format in which sizes are judged.
        tell: called with the fraction done, between the runs.

    Raises:
        ValueError: a value is not allowed; names it.
    """
    chosen = specimen.whole(values)
    inputs, labels = specimen.batch(torch.Generator().manual_seed(_DATA))

    def build(seed: int) -> nn.Module:
        with _DRAWING, torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return specimen.build(chosen)

    return check_built(build, Ask(inputs, None, labels, number_format), seeds=seeds, tell=tell)
