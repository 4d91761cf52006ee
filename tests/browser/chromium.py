"""Finds the Chromium that tests look through."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1]))  # for programs that look through it too

from system_packages import CHROMIUM, found, install

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
    install(CHROMIUM)
    if path := found(CHROMIUM):
        return path
    reason = "no Chromium is here, and it could not be installed: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
