"""pluggy: plugins in this very process, isolated from nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.contender import Run, Work
from benchmarks.payload import PARAMS
from benchmarks.processes import total_pss

PROJECT = "bench"


def _manager() -> tuple[Any, type]:
    import pluggy

    specification = pluggy.HookspecMarker(PROJECT)
    implementation = pluggy.HookimplMarker(PROJECT)

    class Specification:
        @specification
        def echo(self, text: str, number: int, flags: list[bool | None]) -> Any: ...

    class Echo:
        @implementation
        def echo(self, text: str, number: int, flags: list[bool | None]) -> Any:
            return {"text": text, "number": number, "flags": flags}

    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Specification)
    return manager, Echo


@contextlib.contextmanager
def many(count: int) -> Iterator[Work]:
    """The life of many plugins at the same time."""
    yield Work(lambda: _live(count), is_sample=True)


def _live(count: int) -> dict[str, list[float]]:
    manager, plugin = _manager()
    before = total_pss()
    plugins = [plugin() for _ in range(count)]
    starts = [_seconds(partial(manager.register, one)) for one in plugins]
    memory = total_pss() - before
    # One hook call reaches all of them, in turn.
    call = _seconds(lambda: manager.hook.echo(**PARAMS)) / count
    closing = _seconds(lambda: [manager.unregister(one) for one in plugins])
    return {
        "start": starts,
        "call": [call],
        "memory": [memory / count],
        "threads": [0.0],
        "closing": [closing],
    }


def _seconds(work: Run) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
