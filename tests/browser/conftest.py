"""A JupyterLab for all browser tests of a process, and a browser for each file of them.

The browser is a file's and not the session's: while it lives, no other test of the process can run
an event loop of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from chromium import ARGUMENTS, chromium
from lab_server import LabServer
from notebook_page import PATIENCE
from playwright.sync_api import Browser, expect, sync_playwright

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Iterator[LabServer]:
    """A JupyterLab server on the loopback interface."""
    chromium()  # without one there is nothing to serve
    server = LabServer(tmp_path_factory.mktemp("lab"))
    try:
        server.wait()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def browser(lab) -> Iterator[Browser]:
    """Chromium, without a window."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    """In the place of what looks at each test: a browser starts and ends processes as it likes."""


@pytest.fixture(scope="module", autouse=True)
def no_kernel_is_left_behind(lab):
    """After each file: no kernel, and so no host of a plugin."""
    yield
    lab.end_kernels()
    deadline = time.monotonic() + 10
    while lab.get("/api/kernels"):
        assert time.monotonic() < deadline, "kernels are left behind"
        time.sleep(0.05)
