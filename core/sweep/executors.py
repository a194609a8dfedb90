"""Where a sweep is computed: in this process, in several, or on a Dask cluster."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..host import settings

_PATIENCE = "10s"  # within which the scheduler has to answer


class _Connected(NamedTuple):
    client: Any
    executor: Executor


_clusters: dict[str, _Connected] = {}
_connecting = threading.Lock()


def setting_address() -> str:
    """The scheduler that GOOD_INIT_DASK names; empty if it names none."""
    return str(settings.value("GOOD_INIT_DASK"))


def cluster(address: str) -> Executor:
    """The workers of a Dask cluster as an executor; this process is connected to it once.

    If a worker is lost, Dask itself gives its chunk to another one.

    Args:
        address: of the scheduler, such as ``tcp://127.0.0.1:8786``.

    Raises:
        ValueError: Dask is not installed, or no scheduler answers there.
    """
    with _connecting:
        known = _clusters.get(address)
        if known is None or known.client.status != "running":  # closed or lost
            known = _clusters[address] = _connect(address)
        return known.executor


def disconnect(address: str) -> None:
    """Close the connection to a cluster, if there is one."""
    with _connecting:
        known = _clusters.pop(address, None)
    if known is not None:
        known.client.close()


def _connect(address: str) -> _Connected:
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
    # Not pure: two viewers' equal chunks would share a future, which either viewer may cancel.
    return _Connected(client, client.get_executor(pure=False))  # type: ignore[no-untyped-call]


@contextmanager
def chosen(processes: int = 1) -> Iterator[Executor | None]:
    """The executor for a sweep: the cluster that is set, or some processes; None for neither.

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
