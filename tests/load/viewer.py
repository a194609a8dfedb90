"""A viewer without a browser: speaks Streamlit's websocket protocol as its front end does."""

from __future__ import annotations

import asyncio
import html
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
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


def _state(element: Element) -> tuple[WidgetState, bool] | None:
    """What a drawn widget says of itself from now on, and whether the server insists on it."""
    kind = element.WhichOneof("type")
    if kind == "slider":
        widget = element.slider
        state = WidgetState(id=widget.id)
        chosen = widget.raw_value or [widget.options[int(widget.default[0])]]
        state.string_array_value.data.extend(chosen)
    elif kind == "button_group":
        widget = element.button_group
        state = WidgetState(id=widget.id)
        chosen = widget.raw_values or [widget.options[place].content for place in widget.default]
        state.string_array_value.data.extend(chosen)
    elif kind == "checkbox":
        widget = element.checkbox
        chosen = widget.value if widget.set_value else widget.default
        state = WidgetState(id=widget.id, bool_value=chosen)
    elif kind == "selectbox":
        widget = element.selectbox
        chosen = widget.raw_value if widget.set_value else widget.options[widget.default]
        state = WidgetState(id=widget.id, string_value=chosen)
    elif kind == "text_input":
        widget = element.text_input
        chosen = widget.value if widget.set_value else widget.default
        state = WidgetState(id=widget.id, string_value=chosen)
    else:
        return None
    return state, widget.set_value


class Viewer:
    """One tab: a link, a websocket, and what is on screen.

    Args:
        address: of the host, as ``http://127.0.0.1:8501``.
        query: the link's parameters.
        visitor: the value of the cookie that says who it is.
        origin: the internet address that a proxy says it comes from.
    """

    def __init__(
        self, address: str, query: Mapping[str, str], *, visitor: str = "", origin: str = ""
    ) -> None:
        self.address, self.query, self.visitor = address, dict(query), visitor
        self.origin = origin
        self.options: dict[str, list[str]] = {}
        self.states: dict[str, WidgetState] = {}
        self.verdict = ""
        self._ids: dict[str, str] = {}
        self.fragment = self._page = self._session = ""
        self._hashes: dict[str, None] = {}
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()

    @property
    def socket(self) -> ClientConnection:
        """The open websocket."""
        assert self._socket is not None, "connect first"
        return self._socket

    @property
    def kept(self) -> list[str]:
        """The hashes of messages that the host may refer to instead of sending them again."""
        return list(self._hashes)

    async def connect(self) -> None:
        """Open the websocket; after a loss, ask for the session that there was."""
        headers = {"Cookie": f"good_init_viewer={self.visitor}"} if self.visitor else {}
        headers |= {"X-Forwarded-For": self.origin} if self.origin else {}
        session = ["no-token", self._session] if self._session else []
        self._socket = await connect(
            self.address.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit", *session],  # type: ignore[list-item]
            origin=self.address,  # type: ignore[arg-type]
            additional_headers=headers,
            max_size=None,
            open_timeout=PATIENCE,
            ping_interval=None,  # a browser answers pings and sends none
            proxy=None,
        )

    async def leave(self) -> None:
        """Close the tab."""
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    def vanish(self) -> None:
        """Be gone without a word, and with what came unread."""
        self.socket.transport.abort()

    def forget_session(self) -> None:
        """Come back as to a process that never saw this tab."""
        self._session = ""

    async def arrive(self) -> Answer:
        """Open the link, or come back to it."""
        start = time.perf_counter()
        await self.connect()
        await self.send(self.run())
        return await self.answer(start)

    async def step(self, name: str, option: str) -> Answer:
        """Move a slider to one of its options."""
        return await self.ask(self.move(name, option))

    async def ask(self, message: BackMsg) -> Answer:
        """Send a request and wait for all that comes."""
        start = time.perf_counter()
        await self.send(message)
        return await self.answer(start)

    def run(self, states: Iterable[WidgetState] | None = None) -> BackMsg:
        """The request to run the whole page, with what the widgets say."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = urlencode(self.query)
        state.page_script_hash = self._page
        state.context_info.timezone, state.context_info.locale = "UTC", "en-US"
        state.context_info.url = f"{self.address}/"
        state.cached_message_hashes.extend(self._hashes)
        state.widget_states.widgets.extend(self.states.values() if states is None else states)
        return message

    def move(self, name: str, option: str) -> BackMsg:
        """The request of a slider's step, which the address bar has followed."""
        self.query[name] = option
        self.states[self._ids[name]].string_array_value.data[:] = [option]
        message = self.run()
        message.rerun_script.fragment_id = self.fragment
        return message

    def chosen(self, name: str) -> str:
        """Where a slider stands."""
        return self.states[self._ids[name]].string_array_value.data[0]

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
        elif kind == "navigation":
            self._page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = dict(parse_qsl(message.page_info_changed.query_string))
        elif kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._look(message.delta.new_element, message.delta.fragment_id, answer)
        finished = kind == "script_finished"
        return finished and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN

    def _look(self, element: Element, fragment: str, answer: Answer) -> None:
        answer.elements += 1
        drawn = _state(element)
        if drawn is not None and (drawn[1] or drawn[0].id not in self.states):
            self.states[drawn[0].id] = drawn[0]
        kind = element.WhichOneof("type")
        if kind == "slider":
            name = element.slider.query_param_key
            self.options[name], self._ids[name] = list(element.slider.options), element.slider.id
            self.fragment = fragment
        elif kind == "exception":
            answer.exceptions.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "html" and "gi-answer" in element.html.body:
            self.verdict = html.unescape(" ".join(_TAGS.sub(" ", element.html.body).split()))
