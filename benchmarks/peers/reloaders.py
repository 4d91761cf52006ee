"""Ways of having edited code run that isolate nothing and keep no state of their own accord."""

from __future__ import annotations

import contextlib
import importlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from benchmarks.contender import Run, Work

MODULE = "edited_module"
SOURCE = """
VERSION = {version}
COUNT = 0


def up():
    global COUNT
    COUNT += 1
    return VERSION


def version():
    return {version}
"""
_PATIENCE = 30.0
_PAUSE = 0.0005


class _EditedModule:
    """A module in a folder of its own, and its file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"{MODULE}.py"
        self.version = 0
        self.save()
        sys.path.insert(0, str(folder))
        self.module: ModuleType = importlib.import_module(MODULE)

    def save(self, *, in_place: bool = False) -> None:
        self.version += 1
        # Another size each time: bytecode is told apart by that and whole seconds.
        text = SOURCE.format(version=self.version) + "#" * self.version + "\n"
        if in_place:
            self._path.write_text(text)
            return
        beside = self._path.with_suffix(".tmp")
        beside.write_text(text)
        beside.replace(self._path)


@contextlib.contextmanager
def _edited() -> Iterator[_EditedModule]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        one = _EditedModule(Path(name))
        yield one
        sys.path.remove(name)


@contextlib.contextmanager
def by_reload() -> Iterator[Run]:
    """`importlib.reload` in the thread that saved; nobody watches."""
    with _edited() as one:

        def save_and_ask() -> None:
            one.save()
            importlib.reload(one.module)
            assert one.module.up() == one.version

        yield save_and_ask


@contextlib.contextmanager
def by_autoreload() -> Iterator[Run]:
    """`%autoreload 2`: the next cell looks at what has been saved."""
    from IPython.core.interactiveshell import InteractiveShell

    with _edited() as one:
        shell = InteractiveShell.instance()
        shell.run_cell("%load_ext autoreload\n%autoreload 2")
        shell.run_cell(f"import {MODULE}")

        def save_and_ask() -> None:
            one.save()
            shell.run_cell(f"seen = {MODULE}.version()")
            assert shell.user_ns["seen"] == one.version

        yield save_and_ask


@contextlib.contextmanager
def by_jurigged() -> Iterator[Work]:
    """jurigged patches functions in place, once its watcher has seen a save in place."""
    import jurigged

    with _edited() as one:
        watcher = jurigged.watch(str(Path(str(one.module.__file__)).parent) + "/*.py")

        def save_and_ask() -> None:
            one.save(in_place=True)
            _poll(lambda: one.module.version() == one.version)

        yield Work(save_and_ask, lambda _: time.sleep(0.2))
        watcher.stop()


def _poll(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {_PATIENCE:g} s")
        time.sleep(_PAUSE)
