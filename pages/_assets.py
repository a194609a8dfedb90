"""Scripts that the browser fetches once and keeps: Plotly as installed, and our own modules."""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from pathlib import Path

import plotly
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_IMMUTABLE = "public, max-age=31536000, immutable"
_HERE = Path(__file__).parent
_MODULES = {path.name: path.read_bytes() for path in sorted(_HERE.glob("*.js"))}
_DIGEST = sha256(b"".join(_MODULES.values())).hexdigest()[:12]

PLOTLY_PATH = f"/assets/plotly-{plotly.__version__}.min.js"
MODULES_PATH = f"/assets/{_DIGEST}/"
"""Where our own modules are; the path changes with their content, so that they may be kept."""


@cache
def plotly_script() -> bytes:
    """Plotly's script as installed, gzipped: 4.8 MB become 1.4."""
    path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return gzip.compress(path.read_bytes(), 6)


def _script(gzipped: bytes) -> Response:
    headers = {"content-encoding": "gzip", "cache-control": _IMMUTABLE}
    return Response(gzipped, media_type="text/javascript", headers=headers)


async def _plotly(request: Request) -> Response:
    return _script(plotly_script())


async def _module(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in _MODULES:
        return PlainTextResponse("not found\n", status_code=404)
    return _script(gzip.compress(_MODULES[name]))


ROUTES = [Route(PLOTLY_PATH, _plotly), Route(MODULES_PATH + "{name}", _module)]
