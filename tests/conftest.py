"""Fixtures for every test, among them the one that looks for what a test left behind."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from nebula_lab.sandbox.leftovers import MARK

DEADLINE = 5.0


def pytest_configure(config):
    """Give this run what it needs whatever started it.

    That is a folder of its own for temporary files, so that it sees nobody else's, and an
    interrupt that works: a shell starts its background jobs, and so what they start, without.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.pop("XDG_RUNTIME_DIR", None)
    config.private_folder = tempfile.mkdtemp(prefix="nt-", dir="/tmp")
    # Some tests run a child as another user, who has to get to what they wrote.
    Path(config.private_folder).chmod(0o755)
    os.environ["TMPDIR"] = tempfile.tempdir = config.private_folder


def pytest_unconfigure(config):
    shutil.rmtree(config.private_folder, ignore_errors=True)


def run_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("nebula-*"))


def processes() -> set[tuple[int, float]]:
    """Our descendants, and what carries the mark of one of our hosts: pid and start time."""
    found = {(p.pid, p.create_time()) for p in psutil.Process().children(recursive=True)}
    mark = f"{MARK}={os.getpid()}-".encode()
    for process in psutil.process_iter():
        try:
            environment = Path(f"/proc/{process.pid}/environ").read_bytes()
            if any(variable.startswith(mark) for variable in environment.split(b"\0")):
                found.add((process.pid, process.create_time()))
        except (OSError, psutil.Error):
            continue
    return found


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("nebula")}


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:  # a descriptor that was closed meanwhile, such as the listing's own
        return ""


def sockets() -> int:
    return sum(
        1
        for entry in Path("/proc/self/fd").iterdir()
        if _target(entry).startswith(("socket:", "anon_inode:[pidfd"))
    )


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    """After each test: no process, thread, socket or folder of ours that was not there before."""
    before = (processes(), run_folders(), threads(), sockets())
    yield
    deadline = time.monotonic() + DEADLINE
    while True:
        left = {
            "processes": processes() - before[0],
            "folders": run_folders() - before[1],
            "threads": threads() - before[2],
            "sockets": max(0, sockets() - before[3]),
        }
        if not any(left.values()):
            return
        if time.monotonic() > deadline:
            pytest.fail(f"left behind: { {key: value for key, value in left.items() if value} }")
        time.sleep(0.02)


@pytest.fixture
def plugin_file(tmp_path):
    """Writes a plugin of one file into a folder of plugins and returns the file's path."""

    def write(plugin_id: str, body: str, *, folder: str = "plugins", **metadata) -> Path:
        path = tmp_path / folder / f"{plugin_id}.py"
        path.parent.mkdir(exist_ok=True)
        described = {"id": plugin_id, "version": "1.0.0", **metadata}
        path.write_text(
            "from nebula_lab.plugin import HealthStatus, Plugin, context, operation\n"
            f"PLUGIN_METADATA = {described!r}\n{body}\n"
        )
        return path

    return write


def wait_until(condition, what: str, timeout: float = 10.0):
    """Poll a condition; its first true value, or a failure that says what did not come."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.005)
    pytest.fail(f"{what}: not within {timeout:g} s")


@pytest.fixture(name="wait_until")
def wait_until_fixture():
    return wait_until
