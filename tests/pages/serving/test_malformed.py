"""A message that no page sends ends its own connection, with one line in the log."""

import json
import logging

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from pages.serving import malformed
from tests.load.loop import run_apart

REQUEST = BackMsg(stop_script=True).SerializeToString()


def served(*messages):
    """What Streamlit gets of these messages, and what the browser gets."""
    coming = iter([{"type": "websocket.receive", **message} for message in messages])
    got, sent = [], []

    async def streamlit(scope, receive, send):
        while True:
            got.append(await receive())
            if got[-1]["type"] == "websocket.disconnect":
                return

    async def receive():
        return next(coming, {"type": "websocket.disconnect", "code": 1000})

    async def send(message):
        sent.append(message)

    app = malformed.OnlyRequests(streamlit)
    run_apart(app({"type": "websocket"}, receive, send))
    return got, sent


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"bytes": b"\xff\xfe garbage"}, 1002),
        ({"bytes": b""}, 1002),
        ({"text": "hello"}, 1003),
        ({"bytes": REQUEST + bytes(malformed.MOST_BYTES)}, 1009),
    ],
    ids=["garbage", "empty", "text", "too large"],
)
def test_what_is_no_request_ends_the_connection_with_one_line(caplog, message, code):
    with caplog.at_level(logging.WARNING):
        got, sent = served({"bytes": REQUEST}, message, {"bytes": REQUEST})
    assert [each["type"] for each in got] == ["websocket.receive", "websocket.disconnect"]
    assert sent == [{"type": "websocket.close", "code": code}]
    [line] = caplog.messages
    assert json.loads(line)["event"] == "malformed message"


def test_requests_reach_streamlit_as_they_are(caplog):
    got, sent = served({"bytes": REQUEST}, {"bytes": REQUEST})
    assert [each.get("bytes") for each in got] == [REQUEST, REQUEST, None]
    assert sent == [] and caplog.messages == []
