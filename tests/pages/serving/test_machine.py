"""The systems that the app runs on differ in what they give: it starts on all of them."""

import subprocess
import sys

import pytest

from pages.serving import machine
from tests.serving import ROOT


class Limits:
    """A system's limits on open files, as the module ``resource`` tells and sets them."""

    RLIMIT_NOFILE, RLIM_INFINITY = 7, -1

    def __init__(self, soft, hard, kernel=10**9):
        self.now, self.hard, self.kernel = soft, hard, kernel

    def getrlimit(self, which):
        return self.now, self.hard

    def setrlimit(self, which, limits):
        if limits[0] > self.kernel:
            raise ValueError("current limit exceeds maximum limit")
        self.now = limits[0]


@pytest.mark.parametrize(
    "limits, found",
    [
        (Limits(1024, 524288), (1024, 524288)),
        (Limits(1024, 1024), (1024, 1024)),
        (Limits(256, -1), (256, 2**20)),
        (Limits(256, -1, kernel=24576), (256, 10240)),  # macOS
        (Limits(256, -1, kernel=300), (256, 256)),
    ],
)
def test_the_soft_limit_on_open_files_is_raised_as_far_as_the_system_allows(
    monkeypatch, limits, found
):
    monkeypatch.setattr(machine, "resource", limits)
    assert machine.raise_open_files() == found
    assert limits.now == found[1]


def test_a_system_without_such_limits_is_left_alone(monkeypatch):
    monkeypatch.setattr(machine, "resource", None)
    assert machine.raise_open_files() == (0, 0)


@pytest.mark.parametrize("error", [TypeError("Windows: no name"), OSError("no library")])
def test_memory_is_given_back_only_where_the_c_library_has_a_function_for_it(monkeypatch, error):
    """On Windows ``ctypes.CDLL(None)`` raises; on macOS and musl the function is missing."""

    def library(name):
        raise error

    monkeypatch.setattr(machine.ctypes, "CDLL", library)
    machine.give_back_memory()
    monkeypatch.setattr(machine.ctypes, "CDLL", lambda name: object())
    machine.give_back_memory()


_WITHOUT = """
import sys
for name in ("resource", "fcntl", "pwd", "grp", "termios"):
    sys.modules[name] = None  # importing it raises ImportError, as on Windows
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
print("all there")
"""


def test_no_module_of_ours_needs_what_windows_lacks():
    paths = [*(ROOT / "core").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]
    pages = {path.name for path in (ROOT / "pages").glob("*.py")}
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for path in paths
        if path.name != "__main__.py" and not (path.parent.name == "pages" and path.name in pages)
    ]
    command = [sys.executable, "-c", _WITHOUT, *sorted(names)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("all there\n")
