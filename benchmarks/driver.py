"""A contender's own process: opens it, and takes the turns that it is told to take.

A process each, so that no contender pays for the threads, the imports or the garbage of another.
Run by `benchmarks.rounds`: python -m benchmarks.driver DESCRIPTOR REFERENCE ARGUMENTS
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import traceback
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.contender import Run, Work


def main(descriptor: str, reference: str, arguments: str) -> None:
    coordinator = Connection(int(descriptor))
    try:
        with _opened(reference, arguments) as opened:
            work = opened if isinstance(opened, Work) else Work(opened)
            coordinator.send(("ready", None))
            _take_turns(coordinator, work)
    except BaseException:  # noqa: BLE001 - whatever it is, the coordinator is to be told
        coordinator.send(("failed", traceback.format_exc()))
        return
    coordinator.send(("closed", None))


def _opened(reference: str, arguments: str) -> AbstractContextManager[Work | Run]:
    module, _, name = reference.partition(":")
    factory = getattr(importlib.import_module(module), name)
    opened: AbstractContextManager[Work | Run] = factory(*json.loads(arguments))
    return opened


def _take_turns(coordinator: Connection, work: Work) -> None:
    while (turn := _next_turn(coordinator)) is not None:
        warm_up, batch = turn
        for _ in range(warm_up):
            sample(work)
        coordinator.send(("took", [sample(work) for _ in range(batch)]))


def _next_turn(coordinator: Connection) -> tuple[int, int] | None:
    try:
        turn: tuple[int, int] | None = coordinator.recv()
    except EOFError:  # the coordinator was killed
        return None
    return turn


def sample(work: Work) -> Any:
    """One sample: seconds, unless the work measures by itself."""
    started = time.perf_counter()
    result = work.run()
    elapsed = time.perf_counter() - started
    work.settle(result)
    return result if work.is_sample else elapsed


if __name__ == "__main__":
    main(*sys.argv[1:])
