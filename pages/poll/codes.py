"""The code of a room, and who someone is in it: numbers that mean nothing elsewhere."""

from __future__ import annotations

import re
import secrets
from hashlib import blake2b

ALPHABET = "ACDEFGHJKMNPQRTUVWXY34679"  # nothing that looks like something else
LENGTH = 6

_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")
_GAPS = re.compile(r"[\s-]+")
_LONGEST = 40


def new_code() -> str:
    """Six letters and digits out of two hundred million such codes."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def well_formed(text: str) -> str | None:
    """The code that was meant, in any case and with any gaps; None if it cannot be one."""
    code = _GAPS.sub("", text[:_LONGEST]).upper()
    return code if _CODE.fullmatch(code) else None


def number_of(code: str, viewer: str) -> int:
    """63 bits for a viewer in a room: the same every time, and others in every room."""
    digest = blake2b(viewer.encode(), key=code.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1
