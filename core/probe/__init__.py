"""Any ``torch.nn.Module`` checked before its first step: what explodes, vanishes, dies, saturates."""

from __future__ import annotations
