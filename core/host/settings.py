"""The environment variables of a host: each is described, read and checked here.

docs/hosting.md shows them as a table. A test compares it with `as_table`.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Setting:
    """One environment variable.

    Attributes:
        default: the text that stands for a variable that is not set.
        allowed: the allowed texts, in words.
        read: text -> value; raises ValueError or KeyError for a text that is not allowed.
        help: the meaning of the variable, in a sentence or two.
        secret: whether the text may hold a password, so that messages must not repeat it.
    """

    default: str
    allowed: str
    read: Callable[[str], Any]
    help: str
    secret: bool = False


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < math.inf:
        raise ValueError(text)
    return number


def _whole(text: str) -> int:
    number = _positive(text)
    if number != int(number):
        raise ValueError(text)
    return int(number)


def _at_once(text: str) -> int:
    return (os.cpu_count() or 1) if text == "cores" else _whole(text)


def _switch(text: str) -> bool:
    return {"on": True, "off": False}[text]


def _database(text: str) -> str:
    if re.fullmatch(r"(sqlite:///|postgres(ql)?(\+psycopg)?://)[^\s;]+", text) is None:
        raise ValueError(text)
    return text


def _scheduler(text: str) -> str:
    if text and re.fullmatch(r"(tcp|tls|ws|wss)://[^\s/]+:\d{1,5}", text) is None:
        raise ValueError(text)
    return text


def _words(text: str) -> str:
    if not text.strip() or any(mark in text for mark in ";,\r\n"):
        raise ValueError(text)
    return text


_NUMBER = "a positive number"
_WHOLE = "a positive whole number"
_ON_OFF = "on or off"

SETTINGS: Mapping[str, Setting] = {
    "GOOD_INIT_MAX_MULTIPLY_ADDS": Setting(
        "4e11",
        _NUMBER,
        _positive,
        "Work of one run or map: processor time, 4e9 to a second. More is refused in words.",
    ),
    "GOOD_INIT_MAX_SECONDS": Setting(
        "600",
        _NUMBER,
        _positive,
        "How long one run or map may take, whatever was estimated. It then ends in words.",
    ),
    "GOOD_INIT_MAX_BYTES": Setting(
        "2147483648",
        _NUMBER,
        _positive,
        "Memory of one run, and of all large runs at once. More is refused in words, or waits.",
    ),
    "GOOD_INIT_RUNS_AT_ONCE": Setting(
        "cores",
        f"{_WHOLE} or cores",
        _at_once,
        "Runs at once. Long ones beyond wait in a fair queue, and the viewer sees the place in it.",
    ),
    "GOOD_INIT_LONGEST_QUEUE": Setting(
        "200", _WHOLE, _whole, "Long runs that may wait. One more is refused in words."
    ),
    "GOOD_INIT_CACHE_BYTES": Setting(
        "25165824", _WHOLE, _whole, "Memory for answers, kept for the next viewer who asks."
    ),
    "GOOD_INIT_THREADS": Setting(
        "1",
        _WHOLE,
        _whole,
        "Threads of one matrix product on the CPU: viewers share the cores.",
    ),
    "GOOD_INIT_LIVE_PREVIEW": Setting(
        "on", _ON_OFF, _switch, "Previews from real runs while a slider moves."
    ),
    "GOOD_INIT_ROOMS": Setting(
        "sqlite:///data/rooms.sqlite",
        "sqlite:///a/file or postgresql+psycopg://user@host/database",
        _database,
        "Where the class polls are; several hosts share PostgreSQL. A file is relative to the app.",
        secret=True,
    ),
    "GOOD_INIT_DASK": Setting(
        "",
        "empty, or the address of a Dask scheduler such as tcp://127.0.0.1:8786",
        _scheduler,
        "The Dask cluster that computes sweeps. Empty: this process does.",
    ),
    "GOOD_INIT_METRICS": Setting(
        "on", _ON_OFF, _switch, "The route /metrics for Prometheus. Keep it from the public."
    ),
    "GOOD_INIT_LOG": Setting("on", _ON_OFF, _switch, "One line of JSON per run, on stderr."),
    "GOOD_INIT_FRAME_ANCESTORS": Setting(
        "*", "sources of a Content-Security-Policy", _words, "The sites that may embed the pages."
    ),
}
"""Variable -> its description, in the order of the documentation."""


def value(variable: str) -> Any:
    """The present value of a variable, or its default.

    Args:
        variable: a key of SETTINGS.

    Raises:
        ValueError: the text is not allowed; names the variable, the text and what is allowed.
    """
    setting = SETTINGS[variable]
    text = os.environ.get(variable, setting.default)
    try:
        return setting.read(text)
    except (ValueError, KeyError):
        got = "another text" if setting.secret else repr(text)
        raise ValueError(f"{variable} must be {setting.allowed}, got {got}") from None


def check() -> None:
    """Read every variable.

    Raises:
        ValueError: the text of a variable is not allowed; names the first such variable.
    """
    for variable in SETTINGS:
        value(variable)


def as_table() -> str:
    """All variables as a Markdown table, for the documentation."""
    rows = [
        f"| `{variable}` | `{setting.default}` | {setting.help} |"
        for variable, setting in SETTINGS.items()
    ]
    return "\n".join(["| Variable | Default | Sets |", "|---|---|---|", *rows])
