"""The ladder: a rung per module in the order of execution, its sizes there and back on one axis.

It is HTML without scripts: modules fold as they are nested, and a rung folds out into its numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, isfinite, isnan, log10, nan

from ..text import of_octaves, significant, with_minus
from .evidence import Evidence, gradient_size
from .rows import ModuleRow
from .rung_details import more
from .tree import Rung, grown

_FEW = 40  # rungs to be seen at first, but for those that are folded out for a finding
_PLACES = 3  # of each word that are folded out to
_LOG10_2 = log10(2)
_MOST_DECADES = 18  # of an axis that has the ends of a number format on it
_TICKS = 6
_WAYS = ("gi-out", "gi-back-size")


@dataclass(frozen=True)
class _Axis:
    """The axis of sizes, in decades.

    Attributes:
        low, high: its ends.
        ends: the smallest normal number and the largest of the format, where they are on it.
    """

    low: float
    high: float
    ends: tuple[float, ...]

    def at(self, octaves: float) -> str:
        """The place of a size, in percent of the track; zeros and infinities are at its ends."""
        share = (octaves * _LOG10_2 - self.low) / (self.high - self.low)
        return f"{100 * min(0.992, max(0.008, share)):.2f}%"

    @property
    def ticks(self) -> list[int]:
        """The decades that are written on it."""
        step = max(1, round((self.high - self.low) / _TICKS))
        first = step * ceil(self.low / step)
        return list(range(first, floor(self.high) + 1, step))


@dataclass(frozen=True)
class _Drawn:
    """The parts that all rungs share.

    Attributes:
        axis: of sizes.
        flags: rung -> the words of what was found there.
        opened: the rungs that are folded out at first.
        streams: for each model, block -> log2 of the rms of the stream behind it.
        labels: of the models.
    """

    axis: _Axis
    flags: Mapping[str, Sequence[str]]
    opened: set[str]
    streams: Sequence[Mapping[str, float]]
    labels: Sequence[str]


def ladder(models: Mapping[str, Evidence], troubled: Mapping[str, Sequence[str]]) -> str:
    """The ladder of one model, or of two to be compared, as HTML.

    Args:
        models: label -> what was measured of it; the first is drawn filled, the second hollow.
        troubled: path of a module -> the words of what was found there.
    """
    evidence = list(models.values())
    root = grown([each.rows for each in evidence])
    axis = _axis_of(evidence)
    flags = _placed(root, troubled)
    opened = _at_first(root) | _to_open(flags)
    streams = [{each.name: each.log2_sum for each in one.additions} for one in evidence]
    drawn = _Drawn(axis, flags, opened, streams, list(models))
    body = "".join(_rung(each, 0, drawn) for each in root.inside)
    return (
        f'<div class="gi-ladder">{_key(drawn, evidence[0])}{_head(axis)}{body}</div>'
        if body
        else '<p class="gi-words">No module was called.</p>'
    )


def _axis_of(evidence: Sequence[Evidence]) -> _Axis:
    """The axis with all sizes on it, and the ends of the format where they are not too far."""
    rows = [row for each in evidence for row in each.rows]
    octaves = [size for row in rows for size in (row.output.log2_rms, gradient_size(row))]
    octaves += [each.log2_sum for one in evidence for each in one.additions]
    sizes = [each * _LOG10_2 for each in octaves if isfinite(each)] or [0.0]
    low, high = min(sizes), max(sizes)
    f = evidence[0].format
    ends = [log10(f.smallest_normal), f.log2_overflows_from * _LOG10_2]
    near = max(high, ends[1]) - min(low, ends[0]) <= _MOST_DECADES
    shown = tuple(end for end in ends if near or low <= end <= high)
    low, high = min((low, *shown)), max((high, *shown))
    missing = max(0.0, 4 - (high - low)) / 2
    room = missing + 0.04 * (high - low + 2 * missing)
    return _Axis(low - room, high + room, shown)


def _placed(root: Rung, troubled: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Rung -> the words of what was found there; a parameter's are at its module."""
    names = {each.name for each in root.walk()}
    flags: dict[str, list[str]] = {}
    for path, words in troubled.items():
        name = path
        while name not in names and name:
            name = name.rpartition(".")[0]
        if name:
            flags.setdefault(name, []).extend(words)
    return flags


def _to_open(flags: Mapping[str, Sequence[str]]) -> set[str]:
    """The rungs above the first places of each word."""
    seen: Counter[str] = Counter()
    opened: set[str] = set()
    for name, words in flags.items():
        if all(seen[word] >= _PLACES for word in words):
            continue
        seen.update(words)
        parts = name.split(".")
        opened |= {".".join(parts[:k]) for k in range(1, len(parts))}
    return opened


def _at_first(root: Rung) -> set[str]:
    """The rungs that are folded out, level by level, while there are few to be seen."""
    opened, level, seen = {root.name}, root.inside, len(root.inside)
    while level:
        below = [each for rung in level for each in rung.inside]
        seen += len(below)
        if seen > _FEW:
            break
        opened |= {rung.name for rung in level}
        level = below
    return opened


def _rung(rung: Rung, depth: int, drawn: _Drawn) -> str:
    marks = _marks(rung.rows, drawn.axis) if rung.has_row else _spans(rung, drawn.axis)
    track = _track(marks + _stream(rung, drawn), drawn.axis)
    sizes = _sizes(rung.rows) if rung.has_row else "<span></span><span></span>"
    below = more(rung.rows, drawn.labels) if rung.has_row else ""
    below += "".join(_rung(each, depth + 1, drawn) for each in rung.inside)
    group = ' class="gi-group"' * bool(rung.inside)
    is_open = " open" * (bool(rung.inside) and rung.name in drawn.opened)
    return (
        f"<details{group}{is_open}><summary>{_name(rung, depth, drawn.flags)}{track}{sizes}"
        f"</summary>{below}</details>"
    )


def _stream(rung: Rung, drawn: _Drawn) -> str:
    """A square for the stream behind a block, hollow for the second model."""
    return "".join(
        f'<i class="gi-mark gi-stream{" gi-second" * bool(k)}" '
        f'style="left: {drawn.axis.at(sizes[rung.name])}"></i>'
        for k, sizes in enumerate(drawn.streams)
        if not isnan(sizes.get(rung.name, nan))
    )


def _name(rung: Rung, depth: int, flags: Mapping[str, Sequence[str]]) -> str:
    row = next((each for each in rung.rows if each is not None), None)
    kind = row.kind if row is not None else f"{sum(each.has_row for each in rung.walk())} inside"
    label = rung.label if row is None or row.kind != rung.label else ""
    own = dict.fromkeys(flags.get(rung.name, ()))
    within = Counter(
        word for each in rung.walk() if each is not rung for word in flags.get(each.name, ())
    )
    told = [escape(word) for word in own]
    told += [f"{count} × {escape(word)}" for word, count in within.items()]
    flagged = "".join(f'<b class="gi-flag">{each}</b>' for each in told)
    return (
        f'<span class="gi-rung-name" style="--in: {depth}" title="{escape(rung.name)}">'
        f"{escape(label)} <small>{escape(kind)}</small>{flagged}</span>"
    )


def _track(marks: str, axis: _Axis) -> str:
    lines = "".join(
        f'<i class="gi-grid" style="left: {axis.at(tick / _LOG10_2)}"></i>' for tick in axis.ticks
    )
    ends = "".join(
        f'<i class="gi-end" style="left: {axis.at(end / _LOG10_2)}"></i>' for end in axis.ends
    )
    return f'<span class="gi-track">{lines}{ends}{marks}</span>'


def _marks(rows: Sequence[ModuleRow | None], axis: _Axis) -> str:
    """A circle for the output and a diamond for the gradient, hollow for the second model."""
    drawn = ""
    for k, row in enumerate(rows):
        for way, size in zip(_WAYS, _both(row), strict=True):
            if size is not None:
                second = " gi-second" * bool(k)
                place = axis.at(size if size == size else float("inf"))
                drawn += f'<i class="gi-mark {way}{second}" style="left: {place}"></i>'
    return drawn


def _spans(rung: Rung, axis: _Axis) -> str:
    """A line from the smallest to the largest size inside, for each way and model."""
    drawn = ""
    for k in range(len(rung.rows)):
        pairs = [_both(row) for row in rung.called(k)]
        for way, sizes in zip(_WAYS, zip(*pairs, strict=True), strict=True) if pairs else ():
            known = [size for size in sizes if size is not None and size == size]
            if known:
                first, last = (axis.at(end(known)) for end in (min, max))
                width = f"{float(last[:-1]) - float(first[:-1]):.2f}%"
                second = " gi-second" * bool(k)
                drawn += (
                    f'<i class="gi-span {way}{second}" style="left: {first}; width: {width}"></i>'
                )
    return drawn


def _both(row: ModuleRow | None) -> tuple[float | None, float | None]:
    """log2 of the sizes of output and gradient; None where there is none."""
    if row is None:
        return None, None
    return row.output.log2_rms, None if row.gradient is None else row.gradient.log2_rms


def _sizes(rows: Sequence[ModuleRow | None]) -> str:
    """The sizes as numbers, a line for each model."""
    cells = ""
    for way, column in zip(_WAYS, zip(*map(_both, rows), strict=True), strict=True):
        told = "".join(f"<b>{escape(size_text(each))}</b>" for each in column)
        cells += f'<span class="gi-size {way}-text">{told}</span>'
    return cells


def size_text(octaves: float | None) -> str:
    """2^octaves in three digits; in words where it is no number."""
    if octaves is None:
        return "–"
    if not isfinite(octaves):
        return "0" if octaves < 0 else "Inf" if octaves > 0 else "NaN"
    return with_minus(of_octaves(octaves))


def _head(axis: _Axis) -> str:
    places = {with_minus(str(tick)): axis.at(tick / _LOG10_2) for tick in axis.ticks}
    ticks = "".join(
        f'<span style="left: {place}">10<sup>{tick}</sup></span>' for tick, place in places.items()
    )
    return (
        f'<div class="gi-ladder-head"><span>module, in the order of execution</span>'
        f'<span class="gi-track">{ticks}</span>'
        '<span class="gi-size">output</span><span class="gi-size">gradient</span></div>'
    )


def _key(drawn: _Drawn, evidence: Evidence) -> str:
    """What the marks stand for."""
    told = []
    for k, label in enumerate(drawn.labels):
        of = f", {escape(label)}" if len(drawn.labels) > 1 else ""
        second = " gi-second" * bool(k)
        told += [
            f'<span><i class="gi-mark gi-out{second}"></i>rms of the output{of}</span>',
            f'<span><i class="gi-mark gi-back-size{second}"></i>rms of its gradient{of}</span>',
        ]
        if drawn.streams[k]:
            told.append(
                f'<span><i class="gi-mark gi-stream{second}"></i>rms of the stream{of}</span>'
            )
    if len(drawn.labels) > 1:
        told.append(f"<span>○ found in {escape(drawn.labels[1])}</span>")
    f = evidence.format
    ends = f"{significant(f.smallest_normal)} to {of_octaves(f.log2_overflows_from)}"
    line = '<i class="gi-end"></i>' * bool(drawn.axis.ends)
    told.append(
        f"<span>{line}normal numbers of {escape(evidence.number_format)}, {with_minus(ends)}</span>"
    )
    return f'<div class="gi-key">{"".join(told)}</div>'
