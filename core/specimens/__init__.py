"""Networks that everybody knows, built from torch.nn alone, to be checked as any model is."""

from __future__ import annotations

from .examine import examine
from .registry import SPECIMENS
from .specimen import Control, Specimen

__all__ = ["SPECIMENS", "Control", "Specimen", "examine"]
