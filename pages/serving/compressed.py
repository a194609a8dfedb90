"""Streamlit's own scripts and style sheets, gzipped: Streamlit sends them as they are.

They are three quarters of what a first visit transfers. Each is compressed once per process.
"""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from streamlit import file_util

_ROOT = "/static/"
_KINDS = {".js": "text/javascript", ".css": "text/css"}
_LEAST = 1000  # bytes; smaller files gain nothing
_HEADERS = {
    "cache-control": "public, immutable, max-age=31536000",  # the names change with the content
    "content-encoding": "gzip",
    "vary": "accept-encoding",
}


@cache
def _files() -> dict[str, Path]:
    """Path in an address -> file, of all that is worth compressing."""
    folder = Path(file_util.get_static_dir())
    found = (path for path in (folder / "static").rglob("*") if path.suffix in _KINDS)
    return {
        _ROOT + path.relative_to(folder / "static").as_posix(): path
        for path in found
        if path.stat().st_size >= _LEAST
    }


@cache
def _gzipped(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 6)


def _takes_gzip(headers: Headers) -> bool:
    accepted = headers.get("accept-encoding", "").lower().split(",")
    return any(each.partition(";")[0].strip() == "gzip" and "q=0" not in each for each in accepted)


class Compressed:
    """Answers requests for Streamlit's scripts with gzipped bytes, if the browser takes them."""

    def __init__(self, app) -> None:  # noqa: ANN001
        self.app = app

    async def __call__(self, scope, receive, send) -> None:  # noqa: ANN001
        """Answer a request."""
        path = _files().get(scope["path"]) if scope["type"] == "http" else None
        if path is None or scope["method"] != "GET" or not _takes_gzip(Headers(scope=scope)):
            await self.app(scope, receive, send)
            return
        body = await run_in_threadpool(_gzipped, path)
        answer = Response(body, headers=_HEADERS, media_type=_KINDS[path.suffix])
        await answer(scope, receive, send)
