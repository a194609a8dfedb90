"""One thread for each run, so that the bits do not depend on the number of cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from threadpoolctl import ThreadpoolController

_KEPT_BYTES = 2**25 - 2**16  # just under the most that glibc lets its threshold grow to

_threads_lock = threading.Lock()

_runs_in_progress = 0

_host_threads = 0

_blas_limit: Any = None  # while runs are in progress


@cache
def _blas() -> ThreadpoolController:
    """The library behind numpy's products; torch's is another."""
    return ThreadpoolController()


@contextmanager
def single_threaded() -> Iterator[None]:
    """Run torch's CPU kernels, and numpy's products, on the calling thread alone.

    A matrix product split between threads adds up in another order and differs in the last bit;
    on one thread the result is the same on every machine of a kind. torch keeps the number per
    thread, but a new thread starts with the number that was set last anywhere: what is put back
    is what the process had while nothing ran.
    """
    global _runs_in_progress, _host_threads, _blas_limit
    with _threads_lock:
        before = torch.get_num_threads()
        if _runs_in_progress == 0:
            _host_threads = before
            _blas_limit = _blas().limit(limits=1, user_api="blas")
        restored = _host_threads if before == 1 else before
        _runs_in_progress += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _threads_lock:
            _runs_in_progress -= 1
            if _runs_in_progress == 0:
                _blas_limit.restore_original_limits()
            torch.set_num_threads(restored)


def set_threads(count: int) -> None:
    """How many of its threads a CPU kernel uses outside of runs, which are always on one."""
    torch.set_num_threads(count)


def host_is_busy() -> bool:
    """Whether as many runs are in progress as there are cores to run them."""
    return _runs_in_progress >= (os.cpu_count() or 1)


@cache
def keep_freed_memory() -> None:
    """Let the C allocator keep what a run frees, for the next run; once per process.

    glibc returns freed blocks of this size to the kernel, and the page faults at the next run cost
    as much as the run. Freeing one large block, never touched, raises its threshold for good.
    """
    torch.empty(_KEPT_BYTES, dtype=torch.uint8, device="cpu")
