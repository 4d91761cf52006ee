"""Finds the Chromium that tests look through, and gets Debian's where it may."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str:
    """The path of the program; skips the test where there is none, and fails it under CI."""
    found = _installed()
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _install()
        found = _installed()
    if found is None:
        reason = "no Chromium is here, and it could not be installed: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def main() -> None:
    """Have it there before the tests: to get it may take longer than a test may."""
    if _installed() is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium …", flush=True)
        _install()


def _installed() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def _install() -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
        subprocess.run(
            ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *command],
            env=environment,
            capture_output=True,
            check=False,
            timeout=600,
        )


if __name__ == "__main__":
    main()
