"""The scripts of a figure, fetched once and cached by the browser: Plotly and our own modules."""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from importlib.metadata import distribution
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_IMMUTABLE = "public, max-age=31536000, immutable"
_SOURCES = {path.name: path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.js"))}
_DIGEST = sha256(b"".join(_SOURCES.values())).hexdigest()[:12]
_MODULES = {name: gzip.compress(source) for name, source in _SOURCES.items()}

_PLOTLY = distribution("plotly")  # its files are served; the package itself is not needed
PLOTLY_PATH = f"/assets/plotly-{_PLOTLY.version}.min.js"
MODULE_PATHS = {name: f"/assets/{_DIGEST}/{name}" for name in _MODULES}
"""File name -> path of each of our modules; it changes with their content, for browsers cache."""


@cache
def plotly_script() -> bytes:
    """Plotly's script as installed, gzipped: 4.8 MB become 1.4."""
    path = Path(str(_PLOTLY.locate_file("plotly/package_data/plotly.min.js")))
    return gzip.compress(path.read_bytes(), 6)


def _script(gzipped: bytes, cache_control: str) -> Response:
    headers = {"content-encoding": "gzip", "cache-control": cache_control}
    return Response(gzipped, media_type="text/javascript", headers=headers)


async def _plotly(request: Request) -> Response:
    return _script(plotly_script(), _IMMUTABLE)


async def _module(request: Request) -> Response:
    """A module; for another version's path too, which the page of another process may have."""
    name, version = request.path_params["name"], request.path_params["version"]
    if name not in _MODULES:
        return PlainTextResponse("not found\n", status_code=404)
    return _script(_MODULES[name], _IMMUTABLE if version == _DIGEST else "no-store")


ROUTES = [Route(PLOTLY_PATH, _plotly), Route("/assets/{version}/{name}", _module)]
