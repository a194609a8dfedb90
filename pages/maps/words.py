"""The words beside a map: what was found, what the colours and lines are, its link."""

from __future__ import annotations

from html import escape
from urllib.parse import urlencode

import streamlit as st

from core.maps.landscape import Landscape
from core.maps.words import engines
from core.text import typeset
from pages.controls import links
from pages.maps import on_screen
from pages.maps.refining import MapView

_BORDERS = {
    "chaos": "The edge of chaos, χ₁ = 1, is where infinite-width theory keeps a small difference "
    "between two inputs: below that scale it shrinks from layer to layer, above it grows.",
    "overflow": "The overflow line is where theory sees the largest element, taken as √(2 ln N) "
    "times the rms, or the largest weight leave the number format.",
    "underflow": "Below the all-zero line the last layer’s typical element is less than half the "
    "smallest subnormal number.",
    "doubles": "On the line the branches of all layers together add as much to the mean square of "
    "x as the input has. With a smaller branch scale the input is the larger part of x.",
}
_VALID = (
    "The lines hold for wide layers and speak of the typical network; a network may cross them a "
    "little earlier or later. Tied weights are taken as fresh ones, where a line is drawn for them."
)


def say(sentence: str) -> None:
    """Draw the sentence above the picture that says what was found."""
    st.html(
        f'<p class="gi-words gi-summary" role="status" aria-live="polite">{_html(sentence)}</p>'
    )


def _html(text: str) -> str:
    """Plain text as HTML, with the index of σ_w and the power of n^0.5 where they belong.

    No line breaks inside "n = 512".
    """
    return typeset(escape(text)).replace(" = ", "&nbsp;=&nbsp;")


def explained(view: MapView) -> None:
    """Draw what the colour means, how the numbers were computed, and what the lines are."""
    landscape = view.landscape
    result = view.result or landscape.blank()
    measure, networks = result.measure, result.question.networks
    colour = f"Colour: {measure.label}. {measure.help}"
    if measure.of_theory is None:
        colour += (
            f" The median of {networks} networks with seed {landscape.base.seed}."
            if networks > 1
            else f" One network, with seed {landscape.base.seed}."
        )
    sentences = [colour, engines(result)]
    if view.borders is not None:
        sentences.append(" ".join(_BORDERS[border.kind] for border in view.borders))
        sentences.append(_VALID if view.borders else "Theory draws no border on this map.")
    sentences += [
        f"No number in some cells: {why}." for why in dict.fromkeys(result.errors.values())
    ]
    st.html("".join(f'<p class="gi-words">{_html(text)}</p>' for text in sentences if text))


def link(landscape: Landscape, default: Landscape, view: MapView) -> None:
    """Draw the map as files to download, unless the host refuses it, and its link to copy."""
    query = urlencode(landscape.base.to_query() | landscape.to_query())
    if view.state != "refused":
        with st.container(horizontal=True):
            st.link_button("Download CSV", f"sweep.csv?{query}")
            st.link_button("Download Parquet", f"sweep.parquet?{query}")
    with st.expander("Copy link"):
        beside = on_screen.to_query(landscape, default)
        st.code(links.link_to(landscape.base, beside), language=None, wrap_lines=True)
