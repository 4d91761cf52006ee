"""Has made what a sandbox needs once, and tells those who wait how far it is."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from nebula_lab.environments.stages import BuildWatcher, Stage
from nebula_lab.runtime.abandonment import abandonable
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Sandbox

_TICK = 0.5  # seconds between two signs of life: a stage can take half a minute


class PreparationClock:
    """How long it has been made ready, all in all: no part of anybody's deadline. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spent = self._began = 0.0
        self._running = 0

    def seconds(self) -> float:
        """What went by while at least one was at it, up to now."""
        with self._lock:
            going_on = time.monotonic() - self._began if self._running else 0.0
            return self._spent + going_on

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count what goes by meanwhile."""
        with self._lock:
            if not self._running:
                self._began = time.monotonic()
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    self._spent += time.monotonic() - self._began


def prepare(sandbox: Sandbox, workers: Workers, sink: OutputSink) -> None:
    """Wait for it; an interrupt of whoever waits ends it, and nothing is left.

    Args:
        sandbox: what is to be made ready.
        workers: do it.
        sink: shows how far it has come, on this thread.

    Raises:
        PluginError: it can't be made.
    """
    stages: queue.SimpleQueue[Stage | None] = queue.SimpleQueue()
    with abandonable() as abandonment:
        watcher = BuildWatcher(stages.put, lambda: bool(abandonment))
        made = workers.start(partial(sandbox.get_ready, watcher))
        made.add_done_callback(lambda _: stages.put(None))
        try:
            _show(stages, f"sandbox {sandbox.mode.value}", sink)
        finally:
            sink.progress(f"sandbox {sandbox.mode.value}", 1, 1, "")
        made.result()


def _show(stages: queue.SimpleQueue[Stage | None], label: str, sink: OutputSink) -> None:
    began, stage = time.monotonic(), Stage(0, 1, "waiting for another's build")
    while True:
        try:
            found = stages.get(timeout=_TICK)
        except queue.Empty:
            found = stage
        if found is None:
            return
        stage = found
        text = f"{stage.text}; {time.monotonic() - began:.0f} s" if stage.text else ""
        sink.progress(label, stage.done, stage.total, text)
