"""Links and widget values that nobody types by accident."""

from __future__ import annotations

import random
from collections.abc import Iterator

from streamlit.proto.WidgetStates_pb2 import WidgetState

from core.question.experiment import PARAMETERS

_TEXTS = (
    "",
    "-1",
    "0",
    "1e309",
    "-1e-400",
    "NaN",
    "inf",
    "9" * 400,
    "0x1f",
    "1_000",
    "1" + "0" * 18,
    "50.7",
    "٣",
    "½",
    "𝟙𝟘",
    "\u202e512",
    "\x00",
    "%00",
    "\ud7ff\uffff",
    "💥" * 50,
    "a" * 3000,
    "../../../../etc/passwd",
    "/dev/zero",
    "file:///etc/passwd",
    "C:\\CON",
    "' OR 1=1; DROP TABLE rooms; --",
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}}",
    "__import__('os').abort()",
    "true",
    "null",
    "[1, 2]",
    "width:512,width:512",
    "width:1e9,depth:1e9",
    "depth:,scale::,::,,,",
)
_OTHERS = (
    "pin_a",
    "pin_zz",
    "pin_" + "x" * 200,
    "ensemble",
    "hide",
    "view",
    "open",
    "step",
    "room",
)
PAGES = ("", "", "lesson", "number-formats", "../../etc", "nobody")
_UNKNOWN = ("embed", "__class__", "<b>", "width[]", "a" * 500, "Ünïcode", "")


def links(count: int, seed: int = 0) -> Iterator[list[tuple[str, str]]]:
    """Queries of up to eight parameters, some of them repeated."""
    choose = random.Random(seed)
    names = [*PARAMETERS, *_OTHERS, *_UNKNOWN]
    for _ in range(count):
        yield [(choose.choice(names), choose.choice(_TEXTS)) for _ in range(choose.randint(1, 8))]


def forged(state: WidgetState, choose: random.Random) -> WidgetState:
    """A value that the widget never has, of the kind that it always says."""
    forgery = WidgetState(id=state.id)
    kind = state.WhichOneof("value")
    if kind == "bool_value":
        forgery.bool_value = not state.bool_value
    elif kind == "string_value":
        forgery.string_value = choose.choice(_TEXTS)
    else:
        texts = [choose.choice(_TEXTS) for _ in range(choose.randint(0, 3))]
        forgery.string_array_value.data.extend(texts)
    return forgery


def of_no_kind(state: WidgetState) -> WidgetState:
    """A number, which none of our widgets speaks in: Streamlit fails, for this session only."""
    return WidgetState(id=state.id, double_value=float("nan"))
