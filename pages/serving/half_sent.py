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
"""Seconds for the head of a request to be sent, and for each further part of its body."""


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
        owed = _owed(self)
        if owed is not h11.IDLE:  # the head has come
            _forgive(self)
        if owed is not None:
            _wait(self)

    def connection_lost(self: Any, error: Exception | None) -> None:
        _forgive(self)
        lost(self, error)

    protocol.connection_made = connection_made
    protocol.data_received = data_received
    protocol.connection_lost = connection_lost


def _owed(connection: Any) -> Any:
    """h11.IDLE if the head is still to come, h11.SEND_BODY if only the body is, else None.

    A websocket owes nothing: it has another protocol by then.
    """
    is_http = connection.transport.get_protocol() is connection
    state = connection.conn.their_state
    return state if is_http and state in (h11.IDLE, h11.SEND_BODY) else None


def _wait(connection: Any) -> None:
    if connection.deadline is None:
        connection.deadline = connection.loop.call_later(PATIENCE, connection.transport.close)


def _forgive(connection: Any) -> None:
    if connection.deadline is not None:
        connection.deadline.cancel()
        connection.deadline = None
