"""A viewer without a browser: speaks Streamlit's websocket protocol as its front end does."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.Slider_pb2 import Slider
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 60.0  # seconds for an answer; then it counts as an error
_TAGS = re.compile(r"<[^>]+>")


@dataclass
class Answer:
    """What came back for one request to run the script."""

    seconds: float = 0.0
    bytes: int = 0
    elements: int = 0
    exceptions: list[str] = field(default_factory=list)


class Viewer:
    """One tab: a link, a websocket, and what is on screen.

    Args:
        address: of the host, as ``http://127.0.0.1:8501``.
        query: the link's parameters.
        visitor: the value of the cookie that says who it is.
    """

    def __init__(self, address: str, query: Mapping[str, str], *, visitor: str = "") -> None:
        self.address, self.query, self.visitor = address, dict(query), visitor
        self.sliders: dict[str, Slider] = {}
        self.verdict = ""
        self._fragment = ""
        self._states: dict[str, str] = {}
        self._hashes: dict[str, None] = {}
        self._session = ""
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._socket is not None:
            await self._socket.close()

    @property
    def socket(self) -> ClientConnection:
        """The open websocket."""
        assert self._socket is not None, "arrive first"
        return self._socket

    async def connect(self) -> None:
        """Open the websocket; after a loss, ask for the session that there was."""
        cookie = {"Cookie": f"good_init_viewer={self.visitor}"} if self.visitor else {}
        session = ["no-token", self._session] if self._session else []
        self._socket = await connect(
            self.address.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit", *session],  # type: ignore[list-item]
            origin=self.address,  # type: ignore[arg-type]
            additional_headers=cookie,
            max_size=None,
            open_timeout=PATIENCE,
            proxy=None,
        )

    async def arrive(self) -> Answer:
        """Open the link."""
        start = time.perf_counter()
        await self.connect()
        await self.send(self.run())
        return await self.answer(start)

    async def step(self, name: str, option: str) -> Answer:
        """Move a slider to one of its options."""
        start = time.perf_counter()
        await self.send(self.move(name, option))
        return await self.answer(start)

    def run(self) -> BackMsg:
        """The request to run the whole script."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = urlencode(self.query)
        state.context_info.timezone, state.context_info.locale = "UTC", "en-US"
        state.context_info.url = f"{self.address}/?{state.query_string}"
        state.cached_message_hashes.extend(self._hashes)
        for name, option in self._states.items():
            widget = state.widget_states.widgets.add(id=self.sliders[name].id)
            widget.string_array_value.data.append(option)
        return message

    def move(self, name: str, option: str) -> BackMsg:
        """The request that a slider's step makes; the address bar follows the slider."""
        self._states[name] = self.query[name] = option
        message = self.run()
        message.rerun_script.fragment_id = self._fragment
        return message

    async def send(self, message: BackMsg) -> None:
        """Send a request."""
        await self.socket.send(message.SerializeToString())

    async def answer(self, start: float) -> Answer:
        """Receive until the script has finished."""
        answer = Answer()
        async with asyncio.timeout(PATIENCE):
            while not await self._receive(answer):
                pass
        answer.seconds = time.perf_counter() - start
        return answer

    async def _receive(self, answer: Answer) -> bool:
        data = await self.socket.recv(decode=False)
        answer.bytes += len(data)
        message = ForwardMsg.FromString(data)
        if message.metadata.cacheable:
            self._hashes[message.hash] = None
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._session = message.new_session.initialize.session_id or self._session
        elif kind == "page_info_changed": print("PIC", message.page_info_changed.query_string)
        elif kind == "delta":
            self._look(message, answer)
        finished = kind == "script_finished"
        return finished and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN

    def _look(self, message: ForwardMsg, answer: Answer) -> None:
        answer.elements += 1
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind == "slider" and element.slider.query_param_key:
            self.sliders[element.slider.query_param_key] = element.slider
            self._fragment = message.delta.fragment_id
        elif kind == "exception":
            answer.exceptions.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "html" and "gi-answer" in element.html.body:
            self.verdict = " ".join(_TAGS.sub(" ", element.html.body).split())

    def state(self) -> dict[str, Any]:
        """What two viewers of the same link have in common."""
        return {"query": self.query, "verdict": self.verdict}
