"""Where a sweep is computed: in this process, in several, or on a Dask cluster."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache

from core import settings

_PATIENCE = "10s"  # for the scheduler to answer


def setting_address() -> str:
    """The scheduler that GOOD_INIT_DASK names; empty if none."""
    return str(settings.value("GOOD_INIT_DASK"))


@cache
def cluster(address: str) -> Executor:
    """The workers of a Dask cluster as an executor, connected once per process.

    A chunk whose worker is lost is done again on another one; that is Dask's own doing.

    Args:
        address: of the scheduler, such as ``tcp://127.0.0.1:8786``.

    Raises:
        ValueError: Dask is not installed, or no scheduler answers there.
    """
    try:
        from distributed import Client
    except ImportError:
        raise ValueError(
            f"GOOD_INIT_DASK is {address!r}, and Dask is missing: pip install distributed"
        ) from None
    try:
        client = Client(address, timeout=_PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise ValueError(
            f"GOOD_INIT_DASK must be the address of a Dask scheduler that answers, "
            f"got {address!r}: {error}"
        ) from None
    # Not pure: two viewers' equal chunks would share a future, and one of them may give it up.
    executor: Executor = client.get_executor(pure=False)  # type: ignore[no-untyped-call]
    return executor


@contextmanager
def chosen(processes: int = 1) -> Iterator[Executor | None]:
    """What a sweep is to be given: the cluster that is set, or some processes; None for neither.

    Raises:
        ValueError: GOOD_INIT_DASK is not an address, or nothing answers there.
    """
    address = setting_address()
    if address:
        yield cluster(address)
    elif processes > 1:
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as executor:
            yield executor
    else:
        yield None
