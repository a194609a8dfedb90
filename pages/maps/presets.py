"""Maps that are worth seeing, a button for each; a page without a link begins with the first."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.layer.number_formats import FORMAT_FAMILIES
from core.maps.landscape import Landscape
from core.question.experiment import Experiment
from core.sweep import parse
from pages.maps import on_screen

PAGE = "phase-diagram"


def _map(x: str, y: str, measure: str, networks: int = 1, **fields: Any) -> Landscape:
    return Landscape(Experiment(**fields), parse(x), parse(y), measure, networks)


_RESIDUAL: dict[str, Any] = {
    "width": 128,
    "branch": "preactivation",
    "skip": "identity",
    "activation": "relu",
    "init": "kaiming_normal",
    "weights": "fresh",
}

PRESETS: dict[str, Landscape] = {
    # Six widths for each doubling: the powers of two are among them.
    "The lesson’s map": _map("scale=0.01..10:48", "width=16..2048:43", "first_nonfinite", 16),
    "Trainable depth of tanh": _map(
        "sigma_w=0.5..3:24",
        "bias_std=0..1:24",
        "trainable_depth",
        16,
        activation="tanh",
        init="xavier_normal",
        weights="fresh",
    ),
    "Forward and back: tanh": _map(
        "sigma_w=0.5..3:24",
        "depth=1..100:24",
        "gradient_ratio",
        1,
        activation="tanh",
        init="xavier_normal",
        weights="fresh",
    ),
    "Number formats": _map(
        "scale=0.005..0.5:48",
        "number_format=" + ",".join(FORMAT_FAMILIES["plain"]),
        "log2_std",
        1,
    ),
    "Residual: depth": _map(
        "branch_scale=0.01..1:24", "depth=1..200:24", "log2_std", 1, **_RESIDUAL
    ),
    "Residual: scale factor": _map(
        "scale=0.1..10:16", "branch_scale=0.01..1:16", "gradient_ratio", 1, **_RESIDUAL, depth=50
    ),
}
"""Name of a button -> the map that it shows."""
FIRST = next(iter(PRESETS.values()))
"""The map of a page that no link leads to."""
DEFAULT = _map("scale=0.01..10:48", "width=16..2048:48", "first_nonfinite", 16)
"""Gives the parts that a link lacks: links that exist rely on it, so it never changes."""


def buttons(landscape: Landscape) -> None:
    """Draw a button for each preset."""
    with st.container(horizontal=True, gap="xsmall", key="presets"):
        for place, (name, preset) in enumerate(PRESETS.items()):
            st.button(
                name,
                key=f"preset_{place}",
                type="primary" if preset == landscape else "secondary",
                width="content",
                on_click=on_screen.show_map,
                args=(PAGE, preset),
            )
