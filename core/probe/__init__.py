"""Any ``torch.nn.Module`` checked before its first step, both directions."""

from __future__ import annotations
