"""Ends a websocket that sends what no page of ours sends, with one line in the log.

Streamlit ends it too, by errors whose tracebacks fill the log.
"""

from __future__ import annotations

import logging

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from pages.work import log

MOST_BYTES = 1_000_000
"""Of a message from a page: all that its widgets say, which is some thousand bytes."""
_PROTOCOL_ERROR, _NO_TEXT, _TOO_LARGE = 1002, 1003, 1009  # codes of RFC 6455, section 7.4.1
_INVALID_TEXT = "Invalid UTF-8"  # of which uvicorn writes to the log by itself


class OnlyRequests:
    """Lets messages through that are a request to Streamlit; ends the connection at any other."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        logging.getLogger("uvicorn.error").addFilter(_briefly)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return

        async def received() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive" or (wrong := _wrong(message)) is None:
                return message
            why, code = wrong
            log.write("malformed message", level=logging.WARNING, why=why)
            await send({"type": "websocket.close", "code": code})
            return {"type": "websocket.disconnect", "code": code}

        await self.app(scope, received, send)


def _wrong(message: Message) -> tuple[str, int] | None:
    """Why a message is no request, with the code for it; None if it is one."""
    data = message.get("bytes")
    if data is None:
        return "text", _NO_TEXT
    if len(data) > MOST_BYTES:
        return f"{len(data)} bytes, of at most {MOST_BYTES}", _TOO_LARGE
    request = BackMsg()
    try:
        request.ParseFromString(data)
    except Exception:  # protobuf's implementations have errors of their own
        return "no request", _PROTOCOL_ERROR
    if request.WhichOneof("type") is None:
        return "an empty request", _PROTOCOL_ERROR
    return None


def _briefly(record: logging.LogRecord) -> bool:
    """Write a stranger's malformed text to the log without a traceback."""
    if str(record.msg).startswith(_INVALID_TEXT):
        record.exc_info = None
    return True
