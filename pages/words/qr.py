"""A link as a QR code."""

from __future__ import annotations

from html import escape

import segno
import streamlit as st


def show(link: str) -> None:
    """Draw the QR code of a link, dark on white in any theme, as large as there is room."""
    image = segno.make(link, error="l", micro=False)
    source = image.svg_data_uri(dark="#000000", light="#ffffff", border=4)
    st.html(f'<img class="gi-qr" alt="QR code of the link" src="{escape(source)}">')
