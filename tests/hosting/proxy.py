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
def behind_nginx(apps: list[App]) -> Iterator[Proxy]:
    """nginx in front of these processes; it ends with the block."""
    assert NGINX is not None, WHAT_TO_INSTALL
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        configuration = folder / "nginx.conf"
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        configuration.write_text(_placed(text, folder, port, apps))
        command = [NGINX, "-p", name, "-c", str(configuration), "-e", f"{name}/error.log"]
        process = subprocess.Popen([*command, "-g", "daemon off;"])
        try:
            _wait_until_ready(process, port)
            yield Proxy(folder, port)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_until_ready(process: subprocess.Popen[bytes], port: int) -> None:
    while process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nginx did not start (exit status {process.returncode})")
