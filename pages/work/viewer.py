"""Tells viewers apart, without knowing them, by a random word that each browser gets."""

from __future__ import annotations

import re
import secrets
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv6Address, ip_address, ip_network

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from streamlit.runtime import Runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

COOKIE = "good_init_viewer"
_WORD = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)
_BYTES = 16
_LONGEST_ADDRESS = 64
_OF_ONE_CUSTOMER = 64  # leading bits of an IPv6 address; the others are the customer's to choose


def token() -> str:
    """The viewer's word, from the browser's cookie; in another site's frame, from the session."""
    given = st.context.cookies.get(COOKIE)
    if isinstance(given, str) and _WORD.fullmatch(given):
        return given
    return st.session_state.setdefault("_viewer", secrets.token_urlsafe(_BYTES))


def is_here() -> bool:
    """Whether the viewer of this script is still connected; True outside of scripts."""
    ctx = get_script_run_ctx(suppress_warning=True)
    if ctx is None or not Runtime.exists():
        return True
    return Runtime.instance().is_active_session(ctx.session_id)


def address() -> str:
    """The address that the viewer's connection comes from, as the server sees it.

    No header of a stranger counts. Behind a proxy that the server trusts, as docs/hosting.md says,
    it is what the proxy passes on.
    """
    return _customer(st.context.ip_address or "127.0.0.1")


def address_of(request: HTTPConnection) -> str:
    """The same of a request that comes from no page's script."""
    return _customer(request.client.host if request.client else "127.0.0.1")


def _customer(host: str) -> str:
    """What one customer of a provider has: an IPv4 address, or a network of IPv6 addresses."""
    try:
        found = ip_address(host)
    except ValueError:
        return host[:_LONGEST_ADDRESS]
    found = getattr(found, "ipv4_mapped", None) or found
    if found.is_loopback:
        return "this computer"
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(ip_network((int(found), _OF_ONE_CUSTOMER), strict=False))


def connected() -> int:
    """How many viewers are connected to this process now."""
    return Runtime.instance()._session_mgr.num_active_sessions() if Runtime.exists() else 0


def token_of(headers: Headers) -> str | None:
    """The word in a request's cookie; None if there is none of the right form."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    given = cookies[COOKIE].value if COOKIE in cookies else ""
    return given if _WORD.fullmatch(given) else None


class GiveToken:
    """Gives a browser that has no word one with the page, in a cookie that no script can read."""

    def __init__(self, app) -> None:  # noqa: ANN001
        self.app = app

    async def __call__(self, scope, receive, send) -> None:  # noqa: ANN001
        """Answer a request; a browser without a word gets one."""
        if scope["type"] != "http" or token_of(headers := Headers(scope=scope)):
            await self.app(scope, receive, send)
            return

        async def send_with_token(message) -> None:  # noqa: ANN001
            if message["type"] == "http.response.start" and _is_page(headers, message):
                is_safe = "https" in (scope["scheme"], headers.get("x-forwarded-proto"))
                MutableHeaders(scope=message).append("set-cookie", _cookie(secure=is_safe))
            await send(message)

        await self.app(scope, receive, send_with_token)


def _is_page(asked: Headers, message: dict) -> bool:
    """Whether the answer is a page, or says that the browser's copy of a page is still good."""
    if message["status"] == 304:
        return "text/html" in asked.get("accept", "")
    return Headers(raw=message["headers"]).get("content-type", "").startswith("text/html")


def _cookie(*, secure: bool) -> str:
    cookie = f"{COOKIE}={secrets.token_urlsafe(_BYTES)}; Path=/; HttpOnly; SameSite=Lax"
    return f"{cookie}; Secure" if secure else cookie
