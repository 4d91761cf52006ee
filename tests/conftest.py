"""Fixtures for every test, among them the one that looks for what a test left behind."""

from __future__ import annotations

import compileall
import functools
import gc
import os
import shutil
import signal
import tempfile
import time
from pathlib import Path

import left_behind
import pytest
import wasm_component
from hypothesis import HealthCheck, settings
from shared_zygote import shared_zygote

import nebula_lab
from nebula_lab.sandbox import probing

# What plugins ask for in tests that are not about rights.
USUAL_RIGHTS = {"capabilities": ["Network", "FileSystem", "MemoryAllocation"]}
MOST_PROCESSORS = 4
# Folders without a file that takes long.
QUICK = frozenset({"tests", "metrics", "model", "plugin", "resolver", "views", "wire"})
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
    # The machine stays what it is, and each manager would try it anew for longer than a load takes.
    probing._probe = functools.cache(probing._probe)
    os.environ.pop("XDG_RUNTIME_DIR", None)
    config.private_folder = tempfile.mkdtemp(prefix="nt-", dir="/tmp")
    # Some tests run a child as another user, who has to get to what they wrote.
    Path(config.private_folder).chmod(0o755)
    os.environ["TMPDIR"] = tempfile.tempdir = config.private_folder
    os.environ["NEBULA_LAB_WASM_CACHE"] = str(wasm_component.CACHE)
    os.environ["NEBULA_LAB_HOME"] = f"{config.private_folder}/home"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One more than processors, since a test often waits for a process to start or to end."""
    return min(len(os.sched_getaffinity(0)), MOST_PROCESSORS) + 1


def pytest_collection_modifyitems(items):
    """Have quick files last: else one process is at a long one when the others are done."""
    items.sort(key=lambda item: item.path.parent.name in QUICK)


def pytest_collection_finish():
    """Have the collector look at no test again: there are thousands, and some tests call it."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure(config):
    shared_zygote.end()
    shutil.rmtree(config.private_folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(request):
    """After each test: no process, thread, socket or folder of ours that was not there before."""
    shared_zygote.serve(request.path)
    with left_behind.nothing():
        yield


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


def wait_until(condition, what: str, timeout: float = 30.0):
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
