"""A build of the component ends with whoever wants it, and says meanwhile how far it is."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from nebula_lab.agent.marking import MARK
from nebula_lab.environments.stages import BuildWatcher
from nebula_lab.errors import LoadFailedError, PluginError
from nebula_lab.sandbox.wasm import building
from nebula_lab.sandbox.wasm.building import Order

SOURCE = "@operation\ndef one(self): return 1"
OWNER = """
import sys
from nebula_lab import PluginManager
plugins = PluginManager({"plugin_dir": sys.argv[1], "security": {"sandbox": "Wasm"}})
plugins.load_plugin("it")
"""


class Steps:
    """An output sink that keeps what is said of progress."""

    def __init__(self):
        self.texts = []

    def write(self, stream, text): ...

    def display(self, action, bundle): ...

    def log(self, level, logger, message): ...

    def progress(self, label, done, total, text):
        if text:
            self.texts.append((label, text))


@pytest.fixture
def nothing_built(tmp_path, monkeypatch):
    """A cache with nothing in it."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("NEBULA_LAB_WASM_CACHE", str(cache))
    return cache


def folders(cache):
    return [one.name for one in cache.iterdir() if one.is_dir()]


def builders(mark):
    """The processes that build for a manager."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            is_builder = "componentize_py" in " ".join(process.cmdline())
            if is_builder and process.environ().get(MARK, "").startswith(mark):
                found.append(process)
    return found


def test_a_manager_that_is_closed_breaks_its_build_off(workshop, nothing_built, wait_until):
    workshop.plugin("it", SOURCE)
    seen = Steps()
    with ThreadPoolExecutor(1) as pool:
        with workshop.manager(seen) as plugins:
            load = pool.submit(plugins.load_plugin, "it")
            mark = plugins._engine._run_folder.mark
            wait_until(lambda: builders(mark), "the build", timeout=60)
            wait_until(lambda: seen.texts, "a word of it", timeout=60)
        with pytest.raises(PluginError, match="the manager has been closed"):
            load.result(30)
    label, text = seen.texts[-1]
    assert label == "sandbox Wasm"
    assert re.fullmatch(r"building Python \(half a minute\); \d+ s", text)
    assert builders(mark) == []
    assert folders(nothing_built) == []


def test_a_manager_that_is_killed_leaves_no_builder(workshop, nothing_built, wait_until):
    workshop.plugin("it", SOURCE)
    command = [sys.executable, "-c", OWNER, str(workshop.folder)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as owner:
        wait_until(lambda: builders(f"{owner.pid}-"), "the build", timeout=60)
        owner.kill()
    wait_until(lambda: not builders(f"{owner.pid}-"), "its end", timeout=60)
    # What it had written is no component, and goes with the next build.
    (left,) = folders(nothing_built)
    assert left.startswith(building.BUILDING)
    place = nothing_built / left.removeprefix(building.BUILDING).split("-")[0]
    unwanted = Order(watcher=BuildWatcher(is_cancelled=lambda: True))
    with pytest.raises(LoadFailedError, match="broken off"):
        building.build(place, [("guest/app.py", b""), ("agent/components/plugin.wit", b""),
                               ("guest/wit/world.wit", b"")], unwanted)  # fmt: skip
    assert folders(nothing_built) == []
