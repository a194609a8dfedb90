"""The rungs of a ladder: the calls of one or more models, folded as their modules are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from .rows import ModuleRow

_DEEPEST = 40  # rungs above one another; what is deeper has several parts of the path


@dataclass
class Rung:
    """A module: a call of its own, modules inside of it, or both.

    Attributes:
        name: its path in the model.
        label: the last part of the path, or several where each has but one module inside.
        rows: its call in each of the models; None where one has no such module.
        inside: the modules inside, in the order of execution.
    """

    name: str
    label: str
    rows: list[ModuleRow | None]
    inside: list[Rung] = field(default_factory=list)

    @property
    def has_row(self) -> bool:
        """Whether any model calls the module itself."""
        return any(row is not None for row in self.rows)

    def walk(self) -> Iterator[Rung]:
        """The rung and all that are inside of it, in order."""
        yield self
        for each in self.inside:
            yield from each.walk()

    def called(self, model: int) -> list[ModuleRow]:
        """All calls in one of the models, here and inside."""
        rows = [each.rows[model] for each in self.walk()]
        return [row for row in rows if row is not None]


def grown(models: Sequence[Sequence[ModuleRow]]) -> Rung:
    """The tree of the rows of some models; calls of one name are one rung.

    Args:
        models: the rows of each, in the order of execution.
    """
    root = Rung("", "", [None] * len(models))
    known = {"": root}
    by_name = [{row.name: row for row in rows} for rows in models]
    for name in _interleaved([list(each) for each in by_name]):
        rung = _reached(root, name.split(".", _DEEPEST), known, len(models))
        rung.rows = [each.get(name) for each in by_name]
    return _shortened(root)


def _reached(root: Rung, parts: list[str], known: dict[str, Rung], models: int) -> Rung:
    """The rung of a path, made with all above it where they are missing."""
    above = root
    for k, part in enumerate(parts, start=1):
        name = ".".join(parts[:k])
        if name not in known:
            known[name] = Rung(name, part, [None] * models)
            above.inside.append(known[name])
        above = known[name]
    return above


def _interleaved(orders: Sequence[Iterable[str]]) -> list[str]:
    """All names, each of a later order behind the name that it follows there."""
    merged: list[str] = []
    for order in orders:
        present, place = set(merged), 0
        for name in order:
            if name in present:
                place = merged.index(name) + 1
            else:
                merged.insert(place, name)
                place += 1
    return merged


def _shortened(rung: Rung) -> Rung:
    """The tree with one rung for each module that does nothing but hold one other."""
    inside = [_shortened(each) for each in rung.inside]
    if len(inside) == 1 and rung.name and not rung.has_row:
        (only,) = inside
        return Rung(only.name, f"{rung.label}.{only.label}", only.rows, only.inside)
    return Rung(rung.name, rung.label, rung.rows, inside)
