"""Fixtures for every test, among them the one that looks for what a test left behind."""

from __future__ import annotations

import compileall
import contextlib
import gc
import os
import shutil
import signal
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, settings

import nebula_lab
from nebula_lab.model import ZygoteConfig
from nebula_lab.sandbox.launcher import Launcher
from nebula_lab.sandbox.leftovers import MARK
from nebula_lab.sandbox.nursery import nursery

DEADLINE = 5.0
# What plugins ask for in tests that are not about rights.
USUAL_RIGHTS = {"capabilities": ["Network", "FileSystem", "MemoryAllocation"]}
# How long an example takes says what else the machine has to do.
settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("shared machine")


def pytest_configure(config):
    """Give this run what it needs whatever started it.

    That is a folder of its own for temporary files, so that it sees nobody else's, and an
    interrupt that works: a shell starts its background jobs, and so what they start, without.
    Workers of pytest-xdist come here too, each for itself.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Every kernel imports us. Where nobody may write bytecode, each would compile us again.
    compileall.compile_dir(Path(nebula_lab.__file__).parent, quiet=1)
    os.environ.pop("XDG_RUNTIME_DIR", None)
    config.private_folder = tempfile.mkdtemp(prefix="nt-", dir="/tmp")
    # Some tests run a child as another user, who has to get to what they wrote.
    Path(config.private_folder).chmod(0o755)
    os.environ["TMPDIR"] = tempfile.tempdir = config.private_folder
    os.environ["NEBULA_LAB_HOME"] = f"{config.private_folder}/home"


def pytest_collection_finish():
    """Have the collector look at no test again: there are thousands, and some tests call it."""
    gc.collect()
    gc.freeze()


class SharedZygote:
    """A zygote that lives from test to test, where tests are not about zygotes.

    Managers of one process share theirs; without this, each test would start one anew, which
    takes longer than most tests do.
    """

    FOLDERS = frozenset(
        {
            "arrays",
            "conformance",
            "manager",
            "metrics",
            "notebook",
            "proxy",
            "samples",
            "trust",
            "watch",
        }
    )

    def __init__(self):
        self._launcher = None

    def serve(self, folder):
        """See to it that there is one for the tests of this folder, or that there is none."""
        if folder not in self.FOLDERS:
            self.end()
            return
        if self._launcher is None:
            self._launcher = Launcher(ZygoteConfig(), nursery())
        self._launcher.warm_up()

    def end(self):
        if self._launcher is not None:
            self._launcher.close()
            self._launcher = None


shared_zygote = SharedZygote()


def pytest_unconfigure(config):
    shared_zygote.end()
    shutil.rmtree(config.private_folder, ignore_errors=True)


def run_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("nebula-lab-*/nebula-*"))


def _listed() -> set[tuple[int, int]]:
    """Every process: its pid, and the number of its folder, which no later one of that pid has."""
    return {(int(e.name), e.inode()) for e in os.scandir("/proc") if e.name.isdigit()}


# None of ours. Every test looks for processes twice, and most tests are shorter than it takes to
# read what all processes of a machine say of themselves.
STRANGERS = _listed()


def processes() -> set[tuple[int, float]]:
    """Our descendants, and what carries the mark of one of our hosts: pid and start time."""
    mark = f"\0{MARK}={os.getpid()}-".encode()
    ours, others = {os.getpid(): 0.0}, {}
    for pid, _ in _listed() - STRANGERS:
        with contextlib.suppress(OSError, psutil.Error):
            process = psutil.Process(pid)
            others[pid] = (process.ppid(), process.create_time())
            if mark in b"\0" + Path(f"/proc/{pid}/environ").read_bytes():
                ours[pid] = others.pop(pid)[1]
    while children := {pid for pid, (parent, _) in others.items() if parent in ours}:
        ours.update((pid, others.pop(pid)[1]) for pid in children)
    return set(ours.items()) - {(os.getpid(), 0.0)}


def described(left: set[tuple[int, float]]) -> list[str]:
    """What is known of processes that should be gone."""
    found = []
    for pid, _ in left:
        with contextlib.suppress(OSError):
            name, _, fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
            state, parent = fields.split()[:2]
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            found.append(f"{name}), {state}, of {parent}: {arguments[:300]!r}")
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
def nothing_is_left_behind(request):
    """After each test: no process, thread, socket or folder of ours that was not there before."""
    shared_zygote.serve(request.path.parent.name)
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
        described = {"id": plugin_id, "version": "1.0.0", "security": USUAL_RIGHTS, **metadata}
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
