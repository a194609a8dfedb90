"""The code of a room, and the numbers of viewers in it, which mean nothing in another room."""

from __future__ import annotations

import re
import secrets
from hashlib import blake2b

ALPHABET = "ACDEFGHJKMNPQRTUVWXY34679"  # no two of these look alike
LENGTH = 6

_CODE = re.compile(f"[{ALPHABET}]{{{LENGTH}}}")
_GAPS = re.compile(r"[\s-]+")
_LONGEST = 40  # characters of a typed text that are looked at


def new_code() -> str:
    """A random code of six letters and digits, out of two hundred million."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def well_formed(text: str) -> str | None:
    """The code in a typed text, whatever its case and gaps; None if there is none."""
    code = _GAPS.sub("", text[:_LONGEST]).upper()
    return code if _CODE.fullmatch(code) else None


def spaced(code: str) -> str:
    """A code in two halves, as a person reads it."""
    half = LENGTH // 2
    return f"{code[:half]}\N{NO-BREAK SPACE}{code[half:]}"


def number_of(code: str, viewer: str) -> int:
    """A viewer's number in a room, of 63 bits: always the same there, and another elsewhere."""
    digest = blake2b(viewer.encode(), key=code.encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def network_of(code: str, address: str) -> int:
    """An address's number in a room, of 16 bits: 65,000 addresses of IPv4 share each of them.

    It tells that many guesses come from one address, and not from which.
    """
    return number_of(code, f"address {address}") % 2**16
