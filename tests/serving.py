"""A server of this app on a free port, and a browser to look at it with."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ViewportSize, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_SHELL = shutil.which("chromium-headless-shell") or CHROMIUM
WHAT_TO_INSTALL = "needs Chromium: apt-get install chromium"
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_PATIENCE = 60.0
_STREAMLIT = tuple(os.environ.get("SERVED_BY", "streamlit").split())


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class App:
    """One process of the app, on loopback."""

    def __init__(self, *, program: Sequence[str] = _STREAMLIT, **environment: str) -> None:
        self.program = program
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.start(**environment)

    def start(self, **environment: str) -> None:
        """Start it, or start it again on its port; it takes seconds until it is ready."""
        options = ["--server.address", "127.0.0.1", "--server.port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *self.program, "run", "app.py", *options],
            cwd=ROOT,
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def wait_until_ready(self) -> None:
        """Return once it answers."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=2).close()
                return
            status = self.process.poll()
            if status is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the app did not start (exit status {status})")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a failing machine would: at once."""
        self.process.kill()
        self.process.wait(timeout=20)

    def stop(self) -> None:
        """Ask it to end."""
        self.process.terminate()
        self.process.wait(timeout=20)


@contextlib.contextmanager
def processes(count: int, **environment: Any) -> Iterator[list[App]]:
    """Several processes of the app, started side by side; they end with the block."""
    apps = [App(**environment) for _ in range(count)]
    try:
        for app in apps:
            app.wait_until_ready()
        yield apps
    finally:
        for app in apps:
            app.stop()


@contextlib.contextmanager
def serve(**environment: Any) -> Iterator[str]:
    """The address of a running app, on loopback; it ends with the block."""
    with processes(1, **environment) as [app]:
        yield app.address


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=_FLAGS)
        with contextlib.closing(started) as browser:
            yield browser


def shell(beside: Browser) -> contextlib.closing[Browser]:
    """Chromium without its window, where Debian has it: a page costs a third less.

    It reads a finger's tap otherwise than Chromium does.
    """
    return contextlib.closing(beside.browser_type.launch(executable_path=_SHELL, args=_FLAGS))


def returning(
    beside: Browser, folder: Path, viewport: ViewportSize
) -> contextlib.closing[BrowserContext]:
    """The same for one viewer whose cache is kept in a folder."""
    return contextlib.closing(
        beside.browser_type.launch_persistent_context(
            folder, executable_path=_SHELL, args=_FLAGS, viewport=viewport
        )
    )
