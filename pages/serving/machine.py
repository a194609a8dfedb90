"""What the operating system gives the app: open files for its viewers, and freed memory back.

Windows and macOS lack some of it. The app then runs without.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from contextlib import suppress
from typing import Any

try:
    import resource
except ImportError:  # Windows has no such limits
    resource: Any = None

_PER_VIEWER = 6.5
"""Open files of a viewer: the connections of a browser, and what a page reads."""
_UNLIMITED = 2**20  # files, where the system names no most


def raise_open_files() -> tuple[int, int]:
    """Let the process open as many files as the system allows it, once per process.

    A viewer is a connection, which is an open file. Many shells start a process with 1024.

    Returns:
        The number of files that it could open before, and can now; both 0 where none is known.
    """
    if resource is None:
        return 0, 0
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _UNLIMITED if most == resource.RLIM_INFINITY else most
    # macOS refuses what is above a limit of its kernel, which it does not name here.
    for now in (wanted, 10_240, 4096):
        if now <= before:
            break
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (now, most))
            return before, now
    return before, before


def viewers_at_most(open_files: int) -> int:
    """For how many viewers at once so many open files are enough."""
    return int(open_files / _PER_VIEWER)


def _trim() -> Callable[[int], object] | None:
    """glibc's malloc_trim; None where the C library has another name or no such function."""
    with suppress(OSError, TypeError, AttributeError):
        found: Callable[[int], object] = ctypes.CDLL(None).malloc_trim
        return found
    return None


def give_back_memory() -> None:
    """Give free pages of memory back to the machine; takes a millisecond or two."""
    trim = _trim()
    if trim is not None:
        trim(0)
