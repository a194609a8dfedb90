"""Networks that people train, at their initialisation, to be checked: built from torch.nn alone."""

from __future__ import annotations
