"""Ends connections that begin a request and do not go on: each would hold an open file for ever.

uvicorn waits for the rest of a request without a limit, and Streamlit lets nobody choose the class
of uvicorn's protocol. So that class is given a deadline. nginx has its own, client_header_timeout.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 10.0
"""Seconds for a request to be sent, as long as nginx waits."""


def set_deadline(protocol: type[Any] = H11Protocol) -> None:
    """Let connections end whose request takes too long to come; for all connections made later."""
    if hasattr(protocol, "deadline"):  # is set already
        return
    protocol.deadline = None
    made, received, lost = (
        protocol.connection_made,
        protocol.data_received,
        protocol.connection_lost,
    )

    def connection_made(self: Any, transport: asyncio.Transport) -> None:
        made(self, transport)
        _wait(self)

    def data_received(self: Any, data: bytes) -> None:
        received(self, data)
        (_wait if _is_owed(self) else _forgive)(self)

    def connection_lost(self: Any, error: Exception | None) -> None:
        _forgive(self)
        lost(self, error)

    protocol.connection_made = connection_made
    protocol.data_received = data_received
    protocol.connection_lost = connection_lost


def _is_owed(connection: Any) -> bool:
    """Whether a part of the request is still to come; a websocket has another protocol by then."""
    is_http = connection.transport.get_protocol() is connection
    return is_http and connection.conn.their_state in (h11.IDLE, h11.SEND_BODY)


def _wait(connection: Any) -> None:
    if connection.deadline is None:
        connection.deadline = connection.loop.call_later(PATIENCE, connection.transport.close)


def _forgive(connection: Any) -> None:
    if connection.deadline is not None:
        connection.deadline.cancel()
        connection.deadline = None
