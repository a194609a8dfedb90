"""One thread per run, so that results do not depend on the number of cores."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from threadpoolctl import ThreadpoolController

_KEPT_BYTES = 2**25 - 2**16  # just under the largest threshold that glibc adapts to, 32 MiB

_threads_lock = threading.Lock()

_runs_in_progress = 0

_host_threads = 0

_blas_limit: Any = None  # set while runs are in progress


@cache
def _blas() -> ThreadpoolController:
    """The BLAS library of NumPy, which is not the one of torch."""
    return ThreadpoolController()


@contextmanager
def single_threaded() -> Iterator[None]:
    """Run torch's CPU kernels and NumPy's products on the calling thread alone, during the block.

    A matrix product that is split between threads adds its terms in another order, and differs in
    the last bit. On one thread, the result is the same on every machine of a kind. torch keeps the
    number of threads for each calling thread, and a new thread starts with the number that was set
    last anywhere. So the number restored is the one that the process had while no run was in
    progress.
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
    """Set how many threads a CPU kernel uses outside of runs; a run always uses one."""
    torch.set_num_threads(count)


def host_is_busy() -> bool:
    """Whether at least as many runs are in progress as the host has cores."""
    return _runs_in_progress >= (os.cpu_count() or 1)


@cache
def keep_freed_memory() -> None:
    """Let the C allocator keep the memory that a run frees for the next run; once per process.

    glibc would return freed blocks of this size to the kernel, and the page faults of the next run
    would cost as much as the run. Freeing one large block, whose pages are never touched, raises
    glibc's threshold for the rest of the process.
    """
    torch.empty(_KEPT_BYTES, dtype=torch.uint8, device="cpu")
