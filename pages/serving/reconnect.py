"""Lets the first request of every connection run the whole page."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg


class WholePageFirst:
    """Turns a connection's first request into one for the whole page, if it is for a fragment.

    After a restart, a move to another process, or two minutes asleep, the session that had the
    fragment is gone. Streamlit's front end does not notice, and its server ignores a request for an
    unknown fragment without an error: the sliders would move and nothing would happen.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a connection."""
        if scope["type"] != "websocket":
            await self.app(scope, receive, send)
            return
        has_run = False

        async def received() -> Message:
            nonlocal has_run
            message = await receive()
            if not has_run and message.get("bytes"):
                message["bytes"], has_run = _whole(message["bytes"])
            return message

        await self.app(scope, received, send)


def _whole(data: bytes) -> tuple[bytes, bool]:
    """The same request for the whole page, and whether it is a request to run at all."""
    message = BackMsg()
    message.ParseFromString(data)
    if message.WhichOneof("type") != "rerun_script":
        return data, False
    if message.rerun_script.fragment_id:
        message.rerun_script.fragment_id = ""
        data = message.SerializeToString()
    return data, True
