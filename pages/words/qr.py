"""A link as a QR code."""

from __future__ import annotations

from html import escape
from ipaddress import ip_address
from urllib.parse import urlsplit

import segno
import streamlit as st

_ONLY_HERE = """<p class="gi-local gi-feedback gi-far" role="note">
This address works on this computer only: start with <code>make run ADDRESS=0.0.0.0</code>
and open the page by this computer's name or address.</p>"""


def show(link: str) -> None:
    """Draw the QR code of a link, dark on white in any theme, as large as there is room.

    Where no other device can open the link, a note says so.
    """
    if is_local(link):
        st.html(_ONLY_HERE)
    image = segno.make(link, error="l", micro=False)
    source = image.svg_data_uri(dark="#000000", light="#ffffff", border=4)
    st.html(f'<img class="gi-qr" alt="QR code of the link" src="{escape(source)}">')


def is_local(link: str) -> bool:
    """Whether a link names the computer that opens it, whichever that is, so that no phone can."""
    host = urlsplit(link).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
