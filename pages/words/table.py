"""A table whose rows become blocks on a phone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import streamlit as st

NOTHING = "–"
"""The text of an empty cell, which a phone leaves out."""


def show(
    caption: str,
    corner: str,
    columns: Mapping[str, str],
    rows: Iterable[tuple[str, Sequence[str]]],
    *,
    below: str = "",
) -> None:
    """Draw a table.

    Args:
        caption: the sentence above it.
        corner: the heading of the column of row headings.
        columns: heading -> what it means, for a hover; empty where the heading says enough.
        rows: the heading of each row and its cells, as HTML.
        below: HTML under the table.
    """
    head = "".join(_heading(label, meaning) for label, meaning in columns.items())
    body = "".join(
        f'<tr><th scope="row">{heading}</th>{_cells(columns, cells)}</tr>'
        for heading, cells in rows
    )
    st.html(
        f"""<div class="gi-table"><table><caption>{escape(caption)}</caption>
        <thead><tr><th scope="col">{escape(corner)}</th>{head}</tr></thead>
        <tbody>{body}</tbody></table>{below}</div>"""
    )


def _heading(label: str, meaning: str) -> str:
    text = escape(label)
    if meaning:
        text = f'<abbr title="{escape(meaning)}">{text}</abbr>'
    return f'<th scope="col">{text}</th>'


def _cells(columns: Iterable[str], cells: Iterable[str]) -> str:
    return "".join(
        f'<td data-label="{escape(label)}"{" class=gi-none" * (cell == NOTHING)}>{cell}</td>'
        for label, cell in zip(columns, cells, strict=True)
    )
