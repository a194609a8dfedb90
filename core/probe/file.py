"""Reports as files: data alone, and read back field by field, for anybody may have written them."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from functools import cache
from math import isfinite
from sys import float_info
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from ..text import shown
from .evidence import Evidence
from .fitting import Factor
from .recorder import MOST_CALLS

MOST_BYTES = 2**23
"""The largest file that is read."""
_MOST_VALUES = 10**6
_LARGEST = float_info.max
_KIND, _VERSION = "good_init_report", 1
_INFINITE = {"inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}
_PARTS = {"evidence": Evidence, "factors": tuple[Factor, ...], "after": Evidence | None}


class ReportFileError(ValueError):
    """A file is no report; the message names the field, its value, and what is allowed."""


def to_json(**parts: Any) -> str:
    """The parts of a report as JSON. Infinities and NaN, which JSON lacks, are texts."""
    return json.dumps({_KIND: _VERSION} | {name: _plain(parts[name]) for name in _PARTS})


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value if not isinstance(value, float) or isfinite(value) else str(value)


def from_json(text: str | bytes) -> dict[str, Any]:
    """The parts of a report that `to_json` wrote.

    Args:
        text: of the file; UTF-8 if it is bytes.

    Raises:
        ReportFileError: it is no such file.
    """
    if len(text) > MOST_BYTES:
        raise ReportFileError(f"the file must have at most {MOST_BYTES} bytes, got {len(text)}")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportFileError(f"the file must be JSON: {shown(str(error))}") from None
    if not isinstance(found, dict) or found.get(_KIND) != _VERSION:
        raise ReportFileError(f'the file must be an object with "{_KIND}": {_VERSION}')
    reader = _Reader()
    try:
        return {name: reader.read(kind, found.get(name), name) for name, kind in _PARTS.items()}
    except RecursionError:
        raise ReportFileError("the file must not be nested so deeply") from None


class _Reader:
    """Reads values by the types of dataclasses' fields, and refuses all that does not fit."""

    def __init__(self) -> None:
        self._left = _MOST_VALUES

    def read(self, kind: Any, value: Any, at: str) -> Any:
        """A value of a type; ``at`` is its place in the file."""
        self._left -= 1
        if self._left < 0:
            raise ReportFileError(f"the file must have at most {_MOST_VALUES} values")
        origin, inside = get_origin(kind), get_args(kind)
        if origin is Annotated:
            found = self.read(inside[0], value, at)
            if not inside[1].allows(found):
                raise _refused(at, str(inside[1]), value)
            return found
        if origin in (Union, UnionType):
            (kind,) = (each for each in inside if each is not NoneType)
            return None if value is None else self.read(kind, value, at)
        if origin is tuple:
            return self._items(inside[0], value, at)
        if origin is Literal:
            if value not in inside:
                raise _refused(at, f"one of {', '.join(inside)}", value)
            return value
        return self._object(kind, value, at) if is_dataclass(kind) else _basic(kind, value, at)

    def _items(self, kind: Any, value: Any, at: str) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) > MOST_CALLS:
            raise _refused(at, f"a list of at most {MOST_CALLS}", value)
        return tuple(self.read(kind, each, f"{at}[{k}]") for k, each in enumerate(value))

    def _object(self, kind: Any, value: Any, at: str) -> Any:
        types = _types(kind)
        names = [each.name for each in fields(kind)]
        if not isinstance(value, dict) or set(value) != set(names):
            raise _refused(at, f"an object of {', '.join(names)}", value)
        found = {name: self.read(types[name], value[name], f"{at}.{name}") for name in names}
        try:
            return kind(**found)
        except ValueError as error:
            raise ReportFileError(f"{at}: {error}") from None


@cache
def _types(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _basic(kind: type, value: Any, at: str) -> Any:
    """A number, a text or a truth value."""
    if kind is float and isinstance(value, str) and value in _INFINITE:
        return _INFINITE[value]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is float and is_number and abs(value) <= _LARGEST:
        return float(value)
    if type(value) is not kind or kind is float:
        raise _refused(at, _KINDS[kind], value)
    return value


_KINDS = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}


def _refused(at: str, allowed: str, value: Any) -> ReportFileError:
    return ReportFileError(f"{at} must be {allowed}, got {shown(value)}")
