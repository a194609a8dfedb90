"""A Dask cluster on loopback: a scheduler and workers, each a process of its own, over TCP."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from distributed import Client

from core.sweep.executors import disconnect
from tests.serving import free_port

ROOT = Path(__file__).resolve().parent.parent
_HERE = ("--host", "127.0.0.1", "--no-dashboard")
PATIENCE = 60.0  # seconds until every worker has come


@dataclass
class Cluster:
    """Its scheduler's address, and the workers' processes."""

    address: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def add_worker(self) -> None:
        """One more worker, with one thread; when it is killed nobody restarts it."""
        single = ("--nworkers", "1", "--nthreads", "1", "--no-nanny")
        self.workers.append(_dask("worker", self.address, *_HERE, *single))

    def wait_for(self, count: int) -> None:
        """Until that many workers are there."""
        with Client(self.address, timeout=PATIENCE, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=PATIENCE)


def _dask(*arguments: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "DASK_DISTRIBUTED__COMM__RETRY__COUNT": "3",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "dask", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def cluster(workers: int) -> Iterator[Cluster]:
    """A scheduler and its workers, ended when the block is left."""
    port = free_port()
    scheduler = _dask("scheduler", *_HERE, "--port", str(port))
    made = Cluster(f"tcp://127.0.0.1:{port}")
    try:
        for _ in range(workers):
            made.add_worker()
        made.wait_for(workers)
        yield made
    finally:
        disconnect(made.address)
        for process in (*made.workers, scheduler):
            process.terminate()
        for process in (*made.workers, scheduler):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
