"""Plugins of every kind in real kernels, and what their callers see."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import pytest
from console import Console
from hosted_plugins import HOSTED

from nebula_lab import PluginManager, UnenforcedWarning

# Of those in `hosted/`. Calm starts processes, and so lives below a warden; the others do not.
RIGHTS = ["Network", "FileSystem", "ProcessSpawn", "MemoryAllocation"]


class Notebook:
    """An output sink that keeps what each calling thread was shown."""

    def __init__(self) -> None:
        self.events = []

    def _keep(self, *event):
        # The thread itself, not its number: a later thread may get the same number.
        self.events.append((threading.current_thread(), event))

    def write(self, stream, text):
        self._keep(stream, text)

    def display(self, action, bundle):
        self._keep(action, bundle)

    def log(self, level, logger, message):
        self._keep("log", level, message)

    def progress(self, label, done, total, text):
        self._keep("progress", label, done, total)

    def seen(self):
        """What this thread was shown, oldest first."""
        here = threading.current_thread()
        return [event for thread, event in list(self.events) if thread is here]

    def text(self, stream="stdout"):
        return "".join(event[1] for event in self.seen() if event[0] == stream)


def manager_of(folder: Path, notebook: Notebook, **settings) -> PluginManager:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnenforcedWarning)
        config = {"plugin_dir": str(folder), "security": {"capabilities": RIGHTS}}
        config |= {"hot_reload": False, **settings}
        return PluginManager(config, output=notebook)


@pytest.fixture(scope="module")
def shared_notebook():
    return Notebook()


@pytest.fixture(scope="module")
def shared_plugins(shared_notebook):
    with manager_of(HOSTED, shared_notebook, loading="Eager") as manager:
        yield manager


@pytest.fixture
def notebook(shared_notebook):
    shared_notebook.events.clear()
    return shared_notebook


@pytest.fixture
def plugins(shared_plugins, notebook):
    """A manager with the plugins of `hosted/` loaded; shared by the tests of a module."""
    return shared_plugins


@pytest.fixture
def own_plugins(tmp_path, notebook):
    """Makes a manager of the test's own over a folder of plugins."""
    made = []

    def make(folder=tmp_path / "plugins", **settings):
        made.append(manager_of(folder, notebook, **settings))
        return made[-1]

    yield make
    for manager in made:
        manager.close()


@pytest.fixture(scope="module")
def open_console(shared_plugins):
    """Gives a Jupyter client of a plugin's kernel; one a plugin for the module."""
    ids = ("calm", "tasks")
    consoles = {id_: Console(shared_plugins.connection_file(id_)) for id_ in ids}
    yield consoles.__getitem__
    for console in consoles.values():
        console.close()


@pytest.fixture
def in_background():
    """Runs a function on a thread of its own; gives what joins it and has its result."""
    started = []

    def run(function, *arguments, **keywords):
        call = Background(function, arguments, keywords)
        started.append(call)
        return call

    yield run
    for call in started:
        call.thread.join(30)


class Background:
    def __init__(self, function, arguments, keywords) -> None:
        self.error = None
        self.value = None
        self.thread = threading.Thread(target=self._run, args=(function, arguments, keywords))
        self.thread.start()

    def _run(self, function, arguments, keywords):
        try:
            self.value = function(*arguments, **keywords)
        except BaseException as error:
            self.error = error

    def result(self):
        self.thread.join(30)
        assert not self.thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.value
