"""Debian's PostgreSQL on loopback, an ordinary process with a data folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg

from tests.serving import free_port

_FOUND = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
WHAT_TO_INSTALL = "needs PostgreSQL: apt-get install postgresql"
_USER = "good_init"
# Nothing here has to survive the machine.
_OPTIONS = "-c fsync=off -c synchronous_commit=off -c unix_socket_directories=''"


def is_installed() -> bool:
    """Whether there is one to start."""
    return bool(_FOUND)


class Server:
    """A running PostgreSQL that trusts whoever asks on this machine."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.log = folder / "log"
        self.port = free_port()
        self.databases = 0
        self._run("initdb", "-A", "trust", "-U", _USER, "-N")
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(_FOUND[-1].parent / program), "-D", str(self.data), *arguments]
        if os.geteuid() == 0:  # it will not run as root
            command = ["runuser", "-u", "postgres", "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/")

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} {_OPTIONS}"
        self._run("pg_ctl", "-w", "-l", str(self.log), "-o", options, "start")

    def stop(self) -> None:
        """Stop at once, whoever is connected."""
        self._run("pg_ctl", "-w", "-m", "fast", "stop")

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Its processes stand still: connections are taken, and nobody answers."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        pids = [first, *map(int, children)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in reversed(pids):
                os.kill(pid, signal.SIGCONT)

    def new_database(self) -> str:
        """The address of an empty database."""
        self.databases += 1
        name = f"rooms_{self.databases}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._address(name).replace("postgresql:", "postgresql+psycopg:")

    def _address(self, database: str) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"


@contextlib.contextmanager
def postgresql() -> Iterator[Server]:
    """A server that ends, and leaves nothing, with the block."""
    folder = Path(tempfile.mkdtemp(prefix="good-init-postgresql-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    try:
        server = Server(folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
