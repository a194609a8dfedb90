"""The menu of pages on a phone, and links that open a tab of their own where the viewer asks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

_HERE = Path(__file__).parent
_CSS = (_HERE / "menu.css").read_text()
_links = st.components.v2.component("good_init_links", js=(_HERE / "menu.js").read_text())


def draw(first: Sequence[Page], more: Sequence[Page], here: Page) -> None:
    """Draw the row of pages that a narrow window shows in place of Streamlit's own menu.

    Streamlit folds its menu away behind a button without a word, and leaves it open over the page
    that was chosen.

    Args:
        first: the pages in the row.
        more: those behind its last button.
        here: the page on screen.
    """
    st.html(f"<style>{_CSS}</style>")
    with st.container(key="menu", horizontal=True, gap="xxsmall", vertical_alignment="center"):
        for page in first:
            st.page_link(page, label=page.title)
        # Another key on every page: a list that was open closes when the page changes.
        with st.popover("More", key=f"more_than_{here.url_path or 'explore'}", type="tertiary"):
            for page in more:
                st.page_link(page, label=page.title)
        _links(key="links")
