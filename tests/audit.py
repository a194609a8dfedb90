"""``make lint``: known vulnerabilities of what is installed, where the data can be reached."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import Any

_PATIENCE = 120  # seconds


def _installed() -> str:
    """What the app and its tests run on, as requirements."""
    command = [sys.executable, "-m", "pip", "freeze", "--disable-pip-version-check"]
    tools = ["--exclude", "pip", "--exclude", "setuptools", "--exclude", "wheel"]
    return subprocess.run(command + tools, capture_output=True, text=True, check=True).stdout


def _asked() -> list[dict[str, Any]] | None:
    """What the audit says of each package; None if it cannot say."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
        pinned.write(_installed())
        pinned.flush()
        command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps"]
        options = ["--format", "json", "--progress-spinner", "off", "-r", pinned.name]
        try:
            done = subprocess.run(
                command + options, capture_output=True, text=True, timeout=_PATIENCE
            )
            return json.loads(done.stdout)["dependencies"]
        except (subprocess.TimeoutExpired, json.JSONDecodeError):
            return None


def findings(packages: list[dict[str, Any]]) -> list[str]:
    """A line for each known vulnerability."""
    return [
        f"{package['name']} {package['version']}: {known['id']}, "
        f"mended in {', '.join(known['fix_versions']) or 'no version yet'}"
        for package in packages
        for known in package.get("vulns", ())
    ]


def main() -> int:
    """Print what was found; 1 if anything was."""
    packages = _asked()
    known = [package for package in packages or () if "vulns" in package]
    if not known:
        print("Dependencies were not audited: the data about vulnerabilities cannot be reached.")
        return 0
    found = findings(known)
    print(f"Audited {len(known)} of {len(packages or ())} packages: {len(found)} vulnerabilities.")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
