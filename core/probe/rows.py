"""ModuleRow: what is known of one call of a module; the rows of a report."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .fields import Count, Name, Octaves, Share
from .layout import Role
from .recorder import Call
from .signal import Signal, mean_of
from .weights import Weight


@dataclass(frozen=True)
class ModuleRow:
    """One call of a module, over all seeds.

    Attributes:
        name: the module's path in the model; "#2" follows at its second call.
        kind: the class of the module, or the function.
        role: what it does.
        shape: of its output.
        dtype: of its output, such as "float32".
        output: the sizes of its output.
        gradient: those of the gradient of the output; None where none arrives.
        spread: the standard deviation over seeds of log2 of the output's rms; 0 for one seed.
        dead: the share of its units that are zero for every input; None unless an activation.
        flat: the share of its elements with |φ′| < 0.06; None unless an activation that we know.
        weights: its own parameters, at its first call.
    """

    name: Name
    kind: Name
    role: Role
    shape: tuple[Count, ...]
    dtype: Name
    output: Signal
    gradient: Signal | None
    spread: Octaves
    dead: Share | None
    flat: Share | None
    weights: tuple[Weight, ...]

    @property
    def title(self) -> str:
        """Its class and its path, for sentences: "Linear 58"; a function by its path alone."""
        path = self.name.partition("#")[0]
        if path.endswith("()") or path == self.kind:
            return self.name
        return f"{self.kind} {self.name}"


def named(calls: list[Call]) -> list[str]:
    """The names of calls, each its own: "#2" follows that of a second call."""
    seen: dict[str, int] = {}
    names = []
    for call in calls:
        name = call.name or call.kind
        seen[name] = seen.get(name, 0) + 1
        names.append(name + (f"#{seen[name]}" if seen[name] > 1 else ""))
    return names


def merged(passes: list[dict[str, ModuleRow]]) -> tuple[ModuleRow, ...]:
    """The rows of several passes as one each, in the order of the first pass that has them."""
    names = dict.fromkeys(name for one in passes for name in one)
    return tuple(_merged([one[name] for one in passes if name in one]) for name in names)


def _merged(rows: list[ModuleRow]) -> ModuleRow:
    first = rows[0]
    sizes = np.array([row.output.log2_rms for row in rows])
    known = sizes[np.isfinite(sizes)]
    gradients = [row.gradient for row in rows if row.gradient is not None]
    return ModuleRow(
        name=first.name,
        kind=first.kind,
        role=first.role,
        shape=first.shape,
        dtype=first.dtype,
        output=mean_of([row.output for row in rows]),
        gradient=mean_of(gradients) if gradients else None,
        spread=float(known.std(ddof=1)) if len(known) > 1 else 0.0,
        dead=_mean([row.dead for row in rows]),
        flat=_mean([row.flat for row in rows]),
        weights=tuple(
            Weight.mean_of(list(each)) for each in zip(*(row.weights for row in rows), strict=True)
        ),
    )


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
