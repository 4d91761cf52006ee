"""Folders of plugins, managers on them, and a look at what a whole module left behind."""

from __future__ import annotations

import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import left_behind
import pytest
from shared_zygote import shared_zygote

from nebula_lab import PluginManager, UnenforcedWarning
from nebula_lab.runtime.hosting import Hosted
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.states import SavedState, StateKeeper

HEADER = """\
import asyncio, ctypes, datetime, gc, json, os, pathlib, re, signal, socket, subprocess
import sys, threading, time
from nebula_lab.plugin import HealthStatus, Plugin, context, operation
"""
GRACE = 0.3  # seconds
# What plugins ask for in tests that are not about rights.
USUAL_RIGHTS = {"capabilities": ["Network", "FileSystem", "MemoryAllocation"]}
SANDBOXES = ("Process", "None")


class Folder:
    """A folder of plugins, each of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def write(self, plugin_id: str, body: str, **metadata: Any) -> Path:
        """Write a plugin's source below its metadata."""
        path = self.path / f"{plugin_id}.py"
        described = {"id": plugin_id, "version": "1.0.0", "security": USUAL_RIGHTS, **metadata}
        fresh = path.with_suffix(".new")
        fresh.write_text(f"{HEADER}PLUGIN_METADATA = {described!r}\n{body}\n")
        fresh.replace(path)
        return path

    def plugin(self, plugin_id: str, methods: str, **metadata: Any) -> Path:
        """Write a plugin that has these methods."""
        lines = "\n".join(f"    {line}" for line in methods.strip("\n").splitlines())
        entry = "def plugin_entry(): return It()"
        return self.write(plugin_id, f"class It(Plugin):\n{lines}\n{entry}", **metadata)

    def config(self, sandbox: str = "Process", **settings: Any) -> dict[str, Any]:
        return {
            "plugin_dir": self.path,
            "grace": GRACE,
            "hot_reload": False,  # these tests say themselves when to reload; tests/watch is for it
            "security": {"sandbox": sandbox},
            **settings,
        }

    @contextmanager
    def manager(self, sandbox: str = "Process", *, output: Any = None, **settings: Any):
        """A manager on this folder. That nothing confines its plugins yet is known."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnenforcedWarning)
            manager = PluginManager(self.config(sandbox, **settings), output=output or Notebook())
        with manager:
            yield manager


class Notebook:
    """An output sink that keeps what it is shown."""

    def __init__(self) -> None:
        self.text: list[tuple[str, str]] = []

    def write(self, stream, text):
        self.text.append((stream, text))

    def display(self, action, bundle):
        self.text.append(("display", action))

    def log(self, level, logger, message):
        self.text.append(("log", message))

    def progress(self, label, done, total, text):
        self.text.append(("progress", label))

    def printed(self) -> str:
        return "".join(text for stream, text in self.text if stream in ("stdout", "stderr"))


class Callers:
    """Threads that each make a call; what came of each, by number."""

    def __init__(self) -> None:
        self.results: dict[int, Any] = {}
        self._threads: list[threading.Thread] = []

    def start(self, work, *arguments: Any) -> int:
        number = len(self._threads)

        def run() -> None:
            try:
                self.results[number] = work(*arguments)
            except BaseException as error:
                self.results[number] = error

        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()
        return number

    def join(self, timeout: float = 60.0) -> list[Any]:
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
            assert not thread.is_alive(), "a call did not come back"
        return [self.results[number] for number in range(len(self._threads))]


class StateDesk:
    """Asks a plugin's hosts for what a reload asks them for, without a reload around it."""

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._hosting = plugins._engine.hosting
        self._keeper = StateKeeper(plugins.config, self._hosting, lambda: plugins.output)

    def save(self, plugin_id: str) -> SavedState | None:
        return self._keeper.save(self._record(plugin_id))

    def restore(self, plugin_id: str, saved: SavedState) -> dict[str, str]:
        record = self._record(plugin_id)
        hosted = [Hosted(host, record.description, 1, 0.0) for host in record.slots.hosts]
        return dict(self._keeper.restore(record, hosted, saved))

    def ask(self, plugin_id: str, kind: str, params: Any = None) -> Any:
        record = self._record(plugin_id)
        errand = Invocation(plugin_id, kind, 10.0, self._plugins.output)
        return self._hosting.ask(record.slots.hosts[0], kind, params, errand)

    def _record(self, plugin_id: str) -> Any:
        self._plugins.load_plugin(plugin_id)
        return self._plugins._engine.catalogue.record(plugin_id)


@pytest.fixture
def callers():
    group = Callers()
    yield group
    group.join()


@pytest.fixture
def notebook():
    return Notebook()


@pytest.fixture(scope="session")
def desk():
    """Makes a `StateDesk` of a manager."""
    return StateDesk


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "plugins")


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    """A folder of plugins for all tests of a module."""
    return Folder(tmp_path_factory.mktemp("shared") / "plugins")


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_behind(request):
    """As for every test, but once for a module: its tests share managers, which start hosts."""
    shared_zygote.serve(request.path)
    with left_behind.nothing():
        yield
