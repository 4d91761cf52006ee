"""Our own contenders, by topic. Every plugin has typed params, which are checked, and the settings
are those that a manager has by default.
"""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.contender import Run, Work
from benchmarks.payload import PARAMS, float_array, touch
from benchmarks.plugins import write_echoes, write_stuck
from benchmarks.processes import await_quiet, descendants_threads, total_pss
from nebula_lab import PluginManager
from nebula_lab.errors import PluginTimeoutError


@contextlib.contextmanager
def echoes(
    count: int, sandbox: Any = "Process", **settings: Any
) -> Iterator[tuple[PluginManager, list[str]]]:
    """A manager and the ids of its plugins, none of which is loaded."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        ids = write_echoes(Path(name), count)
        config = {"plugin_dir": name, "security": {"sandbox": sandbox}, **settings}
        with PluginManager(config) as plugins:
            yield plugins, ids


@contextlib.contextmanager
def echo(sandbox: str) -> Iterator[Run]:
    """One call with 100 bytes of JSON."""
    with echoes(1, sandbox) as (plugins, (plugin_id,)):
        plugins.load_plugin(plugin_id)
        yield lambda: plugins.execute(plugin_id, "echo", PARAMS)


@contextlib.contextmanager
def from_threads(threads: int, calls: int) -> Iterator[Run]:
    """So many calls in all, shared out among threads, each with a plugin of its own."""
    with echoes(threads) as (plugins, ids), ThreadPoolExecutor(threads) as pool:
        for plugin_id in ids:
            plugins.load_plugin(plugin_id)

        def share(plugin_id: str) -> None:
            for _ in range(calls // threads):
                plugins.execute(plugin_id, "echo", PARAMS)

        yield lambda: list(pool.map(share, ids))


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    """One array of floats in and back."""
    sent = float_array(megabytes)
    with echoes(1) as (plugins, (plugin_id,)):
        plugins.load_plugin(plugin_id)
        yield lambda: touch(plugins.execute(plugin_id, "mirror", {"array": sent}))


@contextlib.contextmanager
def load(spares: int, enabled: bool = True) -> Iterator[Work]:
    """From a plugin that is not loaded to its first result, with a zygote or without."""
    with echoes(1, zygote={"enabled": enabled, "spares": spares}) as (plugins, (plugin_id,)):

        def settle(result: Any) -> None:
            plugins.unload_plugin(plugin_id)
            await_quiet()  # so that a spare is ready, and nobody clears up meanwhile

        yield Work(lambda: plugins.execute(plugin_id, "echo", PARAMS), settle)


@contextlib.contextmanager
def further_memory(before: int, at_most: int) -> Iterator[Work]:
    """Bytes for each further plugin, when so many are live already."""
    with echoes(at_most) as (plugins, ids):
        for plugin_id in ids[:before]:
            plugins.load_plugin(plugin_id)
        waiting = iter(ids[before:])
        yield Work(partial(_growth, lambda: _use(plugins, next(waiting))), is_sample=True)


def _growth(add: Callable[[], object]) -> int:
    before = total_pss()
    add()
    await_quiet()  # a manager may be at a spare
    return total_pss() - before


@contextlib.contextmanager
def many(count: int) -> Iterator[Work]:
    """The life of many plugins at the same time."""
    yield Work(partial(_live, count), is_sample=True)


@contextlib.contextmanager
def late(operation: str, timeout: float, grace: float) -> Iterator[Work]:
    """From the deadline, or from the end of the grace where the call takes no interrupt."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        plugin_id = write_stuck(Path(name))
        with PluginManager({"plugin_dir": name, "grace": grace}) as plugins:

            def run() -> float:
                over = time.perf_counter() + timeout
                try:
                    plugins.execute(plugin_id, operation, timeout=timeout)
                except PluginTimeoutError as error:
                    passed = time.perf_counter() - over
                    was_ended = error.stacks is not None and "was replaced" in str(error.hint)
                    return passed - grace if was_ended else passed
                raise AssertionError("the call came to an end")

            def settle(result: Any) -> None:
                plugins.execute(plugin_id, "ready")
                await_quiet()

            settle(None)
            yield Work(run, settle, is_sample=True)


def _live(count: int) -> dict[str, list[float]]:
    with echoes(count) as (plugins, ids):
        memory, threads = total_pss(), descendants_threads()
        starts = [_seconds(partial(_use, plugins, plugin_id)) for plugin_id in ids]
        memory, threads = total_pss() - memory, descendants_threads() - threads
        calls = [_seconds(partial(_use, plugins, plugin_id)) for plugin_id in ids]
        closing = _seconds(plugins.close)
    return {
        "start": starts,
        "call": [statistics.median(calls)],
        "memory": [memory / count],
        "threads": [threads / count],
        "closing": [closing],
    }


def _use(plugins: PluginManager, plugin_id: str) -> None:
    plugins.execute(plugin_id, "echo", PARAMS)


def _seconds(work: Run) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
