"""Stops what runs in a machine, and slows it down, between two of its instructions.

An epoch is a number of the engine's. Code in a machine looks at it now and then; when it has grown,
wasmtime asks us whether to go on. So one thread makes it grow, only while something runs, and each
machine decides for itself.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from typing import Any

TICK = 0.01  # seconds
_CONTINUE = 0
# Of how long a time the share is held, in seconds: short enough for people not to see it.
_PERIOD = 0.1


class Ticker:
    """Makes the engine's epoch grow while any machine runs.

    Args:
        increment: does it.
    """

    def __init__(self, increment: Callable[[], object]) -> None:
        self._increment = increment
        self._running = 0
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """A machine begins to run; to be followed by `end`."""
        with self._changed:
            self._running += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wasm-ticks", daemon=True)
                self._thread.start()
            elif self._running == 1:
                self._changed.notify()

    def end(self) -> None:
        """It runs no more."""
        with self._changed:
            self._running -= 1

    def now(self) -> None:
        """Have each machine that runs look now."""
        self._increment()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._running and not self._changed.wait_for(lambda: self._running, 5.0):
                    self._thread = None
                    return
            time.sleep(TICK)
            self._increment()


class Watch:
    """What one machine is held to while it runs.

    Args:
        store: of the machine.
        cpu_percent: of one processor, at most; None is unlimited.
        look: asked at each tick for what is wrong; None where nothing is.

    Attributes:
        reason: why the machine was stopped; "" if it was not.
        was_told: whether that was because somebody said so.
    """

    def __init__(
        self, store: Any, cpu_percent: float | None, look: Callable[[], str | None]
    ) -> None:
        from wasmtime import _bindings as bindings

        self.reason = ""
        self.was_told = False
        self._cpu_share = None if cpu_percent is None else cpu_percent / 100
        self._look = look
        self._stop, self._stop_at, self._end = "", 0.0, ""
        self._began = self._used = 0.0
        self._bindings = bindings
        shape = bindings._wasmtime_store_epoch_deadline_callback.argtypes[1]
        # Kept: the store has the pointer for as long as it lives.
        self._callback = shape(self._decide)
        self._finalizer = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(0)
        bindings.wasmtime_store_epoch_deadline_callback(
            store.ptr(), self._callback, None, self._finalizer
        )
        store.set_epoch_deadline(1)

    def begin(self) -> None:
        """Something begins to run."""
        self._began, self._used = time.monotonic(), time.thread_time()

    def stop(self, reason: str, *, after: float = 0.0) -> None:
        """Have the machine stopped at its next look; any thread.

        Args:
            reason: why.
            after: seconds until then, in which it may come to an end by itself.
        """
        self._stop_at = time.monotonic() + after
        self._stop = self._stop or reason

    def forgive(self) -> None:
        """It has been told, and has come to an end by itself."""
        self._stop = ""

    def end(self, reason: str) -> None:
        """Have the machine stopped for good; any thread."""
        self._end = reason

    def _decide(self, context: Any, data: Any, ahead: Any, kind: Any) -> int:
        """On the machine's thread; an error ends what runs."""
        ahead[0] = 1
        kind[0] = _CONTINUE
        try:
            is_due = time.monotonic() >= self._stop_at
            told = self._end or (self._stop if is_due else "")
            reason = told or self._look() or ""
            self.was_told = bool(told)
        except Exception as error:  # noqa: BLE001 - nobody above could take it
            reason = f"it could not be looked after: {error!r}"
        if not reason:
            self._hold_back()
            return 0
        self.reason = reason
        message = reason.encode()
        pointer = self._bindings.wasmtime_error_new(message)
        return ctypes.cast(pointer, ctypes.c_void_p).value or 0

    def _hold_back(self) -> None:
        """Sleep for as long as its share of the processor asks for."""
        if self._cpu_share is None or self._cpu_share >= 1:
            return
        used = time.thread_time() - self._used
        ahead = used / self._cpu_share - (time.monotonic() - self._began)
        while ahead > 0 and not self._stop and not self._end:
            time.sleep(min(ahead, TICK))
            ahead -= TICK
        if time.monotonic() - self._began > _PERIOD:
            self.begin()
