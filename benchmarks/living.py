"""Our own contenders for code that is edited, or that dies, while it is used."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from benchmarks.contender import Work
from benchmarks.processes import await_quiet, total_dirty
from nebula_lab import PluginManager
from nebula_lab.errors import PluginError

COUNTER = '''
from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {{"id": "counter", "version": "1.0.0"}}
VERSION = {version}


class Counter(Plugin):
    def initialize(self, config):
        self.count = 0

    @operation
    def up(self) -> list[int]:
        """Count, and say by which version."""
        self.count += 1
        return [VERSION, self.count]

    def save_state(self):
        return {{"count": self.count}}

    def restore_state(self, state):
        self.count = state["count"]


def plugin_entry():
    return Counter()
'''
_PAUSE = 0.0005  # seconds between two questions to new code
_PATIENCE = 30.0
_CALLERS = 4


class Edited:
    """A plugin that keeps state, and its file.

    Args:
        folder: where the file is.
        settings: of the manager.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._path = folder / "counter.py"
        self.version = 0
        self.save()
        self.plugins = PluginManager({"plugin_dir": folder, **settings})

    def save(self) -> None:
        """Write the next version, as editors do: beside it first."""
        self.version += 1
        beside = self._path.with_suffix(".tmp")
        beside.write_text(COUNTER.format(version=self.version))
        beside.replace(self._path)

    def up(self) -> list[int]:
        result: list[int] = self.plugins.execute("counter", "up")
        return result

    def await_new_code(self) -> None:
        """Ask until the version that was saved last answers."""
        _poll(lambda: self.up()[0] == self.version)


@contextlib.contextmanager
def edited(**settings: Any) -> Iterator[Edited]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        one = Edited(Path(name), **settings)
        with one.plugins:
            one.up()
            yield one


@contextlib.contextmanager
def saving(spares: int, sandbox: Any = "Process") -> Iterator[Work]:
    """From the last byte saved to the first answer of the new code."""
    with edited(zygote={"spares": spares}, security={"sandbox": sandbox}) as one:
        one.plugins.watch(True)

        def save_and_ask() -> None:
            one.save()
            one.await_new_code()

        def settle(_: Any) -> None:
            await_quiet()

        yield Work(save_and_ask, settle)


@contextlib.contextmanager
def holding() -> Iterator[Work]:
    """Seconds for which a reload holds calls, once none runs any more."""
    with edited(hot_reload=False) as one:

        def reload() -> float:
            one.save()
            one.plugins.reload_plugin("counter")
            event = one.plugins.last_reload("counter")
            assert event is not None
            return event.held

        yield Work(reload, is_sample=True)


@contextlib.contextmanager
def crashing() -> Iterator[Work]:
    """From a SIGKILL to the next answer."""
    with edited(hot_reload=False, restart={"max_restarts": 1_000_000, "window": 0.001}) as one:

        def kill_and_ask() -> None:
            pid = one.plugins.list_plugins()[0].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            _poll(lambda: _answers(one))

        def settle(_: Any) -> None:
            await_quiet()

        yield Work(kill_and_ask, settle)


def _answers(one: Edited) -> bool:
    try:
        one.up()
    except PluginError:
        return False
    return True


@contextlib.contextmanager
def under_load(reloads: int) -> Iterator[Work]:
    """Many reloads while four threads call: what failed, what was lost, and what stayed behind."""
    yield Work(lambda: _reload_under_load(reloads), is_sample=True)


def _reload_under_load(reloads: int) -> dict[str, list[float]]:
    failed: list[BaseException] = []
    with edited(hot_reload=False) as one:
        first = one.up()[1]
        answered = _call_while_reloading(one, 10, failed)
        memory, descriptors = _at_rest()
        answered += _call_while_reloading(one, reloads - 10, failed)
        memory_after, descriptors_after = _at_rest()
        counted = one.up()[1] - first - 1
    return {
        "failed": [float(len(failed))],
        "lost": [float(answered - counted)],
        "memory": [memory_after / memory],
        "descriptors": [float(descriptors_after - descriptors)],
    }


def _call_while_reloading(one: Edited, reloads: int, failed: list[BaseException]) -> int:
    """How many calls of four threads were answered meanwhile; those that failed are added."""
    answered = [0] * _CALLERS
    done = threading.Event()

    def call(number: int) -> None:
        while not done.is_set():
            try:
                one.up()
                answered[number] += 1
            except PluginError as error:
                failed.append(error)

    callers = [threading.Thread(target=call, args=(number,)) for number in range(_CALLERS)]
    for caller in callers:
        caller.start()
    for _ in range(reloads):
        one.save()
        one.plugins.reload_plugin("counter")
    done.set()
    for caller in callers:
        caller.join()
    return sum(answered)


def _at_rest() -> tuple[int, int]:
    """Bytes and descriptors, once the host that was replaced last has let go of its own."""
    await_quiet()
    return total_dirty(), psutil.Process().num_fds()


def _poll(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {_PATIENCE:g} s")
        time.sleep(_PAUSE)
