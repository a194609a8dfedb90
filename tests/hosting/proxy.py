"""deploy/nginx.conf at work, on loopback, in front of processes of the app."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.serving import ROOT, App, free_port

NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
WHAT_TO_INSTALL = "needs nginx: apt-get install nginx-light"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")


class Proxy:
    """A running nginx."""

    def __init__(self, folder: Path, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._log = folder / "good-init.log"

    def served_by(self, path: str) -> list[str]:
        """Which process answered requests for a path, oldest first: its host and port."""
        time.sleep(0.2)  # a line is written after the answer was sent
        rows = [line.split() for line in self._log.read_text().splitlines()]
        return [row[5] for row in rows if row[3] == path]


def _placed(text: str, folder: Path, port: int, apps: list[App]) -> str:
    """The configuration with this test's ports and folders for those of a host."""
    servers = "".join(f"server 127.0.0.1:{app.port} max_fails=2 fail_timeout=5s;\n" for app in apps)
    temporary = "".join(f"{name}_temp_path {folder}/{name};\n" for name in _TEMPORARY)
    for pattern, here in (
        (r"\nuser www-data;", "" if os.getuid() else "\nuser root;"),
        (r"worker_processes auto", "worker_processes 2"),
        (r"worker_rlimit_nofile \d+;", ""),
        (r"/run/nginx\.pid", f"{folder}/nginx.pid"),
        (r"/var/log/nginx", str(folder)),
        (r"/var/cache/nginx/good-init", f"{folder}/cache"),
        (r"(server 127\.0\.0\.1:850\d .*\n\s*)+", servers),
        (r"listen 80 default_server", f"listen 127.0.0.1:{port}"),
        (r"127\.0\.0\.1:8500", f"127.0.0.1:{free_port()}"),
        (r"http \{", f"http {{ {temporary}"),
    ):
        text, found = re.subn(pattern, here, text)
        assert found, f"deploy/nginx.conf has no {pattern}"
    return text


@contextlib.contextmanager
def _nginx(folder: Path, text: str, port: int) -> Iterator[None]:
    assert NGINX is not None, WHAT_TO_INSTALL
    configuration = folder / "nginx.conf"
    configuration.write_text(text)
    command = [NGINX, "-p", str(folder), "-c", str(configuration), "-e", f"{folder}/error.log"]
    process = subprocess.Popen([*command, "-g", "daemon off;"])
    try:
        _wait_until_ready(process, port)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextlib.contextmanager
def behind_nginx(apps: list[App]) -> Iterator[Proxy]:
    """nginx in front of these processes; it ends with the block."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        with _nginx(folder, _placed(text, folder, port, apps), port):
            yield Proxy(folder, port)


@contextlib.contextmanager
def under_a_path(proxy: Proxy) -> Iterator[str]:
    """The address /good-init/ of another nginx, as docs/hosting.md has it, before this one."""
    docs = (ROOT / "docs" / "hosting.md").read_text()
    [block] = re.findall(r"```nginx\n(.*?)```", docs, re.DOTALL)
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        for there, here in (
            ("listen 80;", f"listen 127.0.0.1:{port};"),
            ("http://127.0.0.1:8080", proxy.address),
        ):
            assert there in block, f"docs/hosting.md has no {there}"
            block = block.replace(there, here)
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in _TEMPORARY)
        main = "" if os.getuid() else "user root;\n"
        main += f"pid {folder}/nginx.pid; events {{}}\n"
        text = f"{main}http {{ access_log off; {temporary}{block} }}"
        with _nginx(folder, text, port):
            yield f"http://127.0.0.1:{port}/good-init"


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nginx did not start (exit status {process.returncode})")
