"""The inside of a rung: all numbers of a module, and a picture of its elements' sizes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from html import escape

from ..charts.figure import BLUE, GREY, VERMILION
from ..text import of_octaves, significant, with_minus
from .rows import ModuleRow
from .signal import Signal

_WIDTH, _HEIGHT = 320, 100  # of the picture
_NONE = "–"


def more(rows: Sequence[ModuleRow | None], labels: Sequence[str]) -> str:
    """The numbers of a call in each model, as HTML.

    Args:
        rows: of one module in each model.
        labels: of the models.
    """
    told = ""
    for row, label in zip(rows, labels, strict=True):
        if row is not None:
            of = f"<dt>model</dt><dd>{escape(label)}</dd>" if len(rows) > 1 else ""
            told += f'<div class="gi-rung-more">{_picture(row)}<dl>{of}{_numbers(row)}</dl></div>'
    return told


def _numbers(row: ModuleRow) -> str:
    out, back = row.output, row.gradient
    pairs = {
        "module": f"{row.name}, {row.kind}",
        "shape": f"{' × '.join(map(str, row.shape)) or 'one number'}, {row.dtype}",
        "output: rms, std": f"{_size(out.log2_rms)}, {_size(out.log2_std)}",
        "output: mean, largest": f"{significant(out.mean)}, {_size(out.log2_max_abs)}",
        "output: zero, Inf or NaN": f"{_percent(out.zero)}, {_percent(out.nonfinite)}",
        "gradient: rms, largest": _gradient(back),
        "gradient: zero, Inf or NaN": _NONE
        if back is None
        else f"{_percent(back.zero)}, {_percent(back.nonfinite)}",
    }
    if row.spread:
        pairs["over seeds"] = f"rms within × or ÷ {of_octaves(row.spread)}"
    if row.dead is not None:
        pairs["dead units"] = _percent(row.dead)
    if row.flat is not None:
        pairs["saturated elements"] = _percent(row.flat)
    for each in row.weights:
        shape = " × ".join(map(str, each.shape))
        pairs[f"{each.name}: shape, rms"] = f"{shape}, {_size(each.log2_rms)}"
        if each.gradient is not None:
            ratio = each.gradient.log2_rms - each.log2_rms
            told = _size(ratio) if each.log2_rms > float("-inf") else _NONE
            pairs[f"{each.name}: gradient, gradient : weight"] = (
                f"{_size(each.gradient.log2_rms)}, {told}"
            )
    return "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(with_minus(text))}</dd></div>"
        for name, text in pairs.items()
    )


def _gradient(back: Signal | None) -> str:
    return _NONE if back is None else f"{_size(back.log2_rms)}, {_size(back.log2_max_abs)}"


def _size(octaves: float) -> str:
    if octaves == float("-inf"):
        return "0"
    return of_octaves(octaves) if octaves < float("inf") else "not finite"


def _percent(share: float) -> str:
    return f"{significant(100 * share)} %"


def _picture(row: ModuleRow) -> str:
    """How many elements have which size: the output's upwards, the gradient's downwards."""
    signals = [row.output] + ([row.gradient] if row.gradient is not None else [])
    signals = [each for each in signals if any(each.octaves)]
    if not signals:
        return ""
    first = min(each.first_octave for each in signals)
    last = max(each.first_octave + len(each.octaves) for each in signals)
    bars = _bars(row.output, first, last, up=True, color=BLUE)
    if row.gradient is not None:
        bars += _bars(row.gradient, first, last, up=False, color=VERMILION)
    middle = _HEIGHT / 2
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}">{bars}'
        f'<path d="M0 {middle}H{_WIDTH}" stroke="{GREY}"/></svg>'
    )
    data = b64encode(svg.encode()).decode()
    told = (
        f"Elements by size, from {of_octaves(first)} at the left to {of_octaves(last)} at the "
        "right: outputs above the line, gradients below"
    )
    caption = escape(with_minus(told))
    return (
        f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{caption}">'
        f"<figcaption>{caption}.</figcaption></figure>"
    )


def _bars(signal: Signal, first: int, last: int, *, up: bool, color: str) -> str:
    """A bar for each octave, as one path."""
    most = max(signal.octaves, default=0)
    if not most:
        return ""
    wide, middle = _WIDTH / (last - first), _HEIGHT / 2
    path = ""
    for k, count in enumerate(signal.octaves):
        high = (middle - 2) * count / most
        if count:
            left = (signal.first_octave - first + k) * wide
            path += f"M{left:.1f} {middle:.1f}h{wide * 0.9:.2f}v{-high if up else high:.1f}"
            path += f"h{-wide * 0.9:.2f}z"
    return f'<path d="{path}" fill="{color}"/>'
