"""Documents of this repository that a page shows too."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

WHY_SQRT_5 = "why_sqrt_5.md"
"""What PyTorch's default weights do at depth."""

_DOCS = Path(__file__).parents[2] / "docs"
_COMMENT = re.compile(r"<!-- .*? -->\n")


@cache
def text_of(name: str) -> str:
    """A document in Markdown, without its title, for the page has a heading over it."""
    _, _, text = (_DOCS / name).read_text().partition("\n")
    return _COMMENT.sub("", text)
