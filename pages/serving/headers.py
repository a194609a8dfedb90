"""The security headers of every answer: among them what a page may load, and from where."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import streamlit
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.host import settings

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' blob: {own}",  # Streamlit loads a component's script from a blob
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' ws: wss:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
}


def policy() -> str:
    """The Content-Security-Policy of this host."""
    ancestors = settings.value("GOOD_INIT_FRAME_ANCESTORS")
    parts = _POLICY | {"frame-ancestors": ancestors}
    text = "; ".join(f"{name} {sources}" for name, sources in parts.items())
    return text.format(own=" ".join(_inline_scripts()))


def _inline_scripts() -> list[str]:
    """The digests of the scripts inside Streamlit's own page; no other inline script runs."""
    page = (Path(streamlit.__file__).parent / "static" / "index.html").read_text()
    digests = (sha256(script.encode()).digest() for script in _INLINE.findall(page))
    return [f"'sha256-{b64encode(digest).decode()}'" for digest in digests]


class SecureHeaders:
    """Adds the headers, and answers 404 on Streamlit's own metrics, which list function names."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.headers = _HEADERS | {"content-security-policy": policy()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, with the headers added."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, text in self.headers.items():
                    headers.setdefault(name, text)
            await send(message)

        answer = self.app
        if scope["path"].rstrip("/").endswith("/_stcore/metrics"):
            answer = PlainTextResponse("not found\n", status_code=404)
        await answer(scope, receive, sent)
