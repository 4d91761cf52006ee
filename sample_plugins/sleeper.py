"""Never returns when asked not to, so that you can watch deadlines and interrupts at work."""

from __future__ import annotations

import collections
import itertools
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Literal

from nebula_lab.plugin import Bounds, Plugin, operation

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {
    "id": "sleeper",
    "name": "Sleeper",
    "version": "1.0.0",
    "description": "Takes its time, or all the time there is.",
    "tags": ["demo"],
}

Way = Literal["sleep", "spin", "wait", "in_c", "stubborn", "deaf"]


class Sleeper(Plugin):
    """Answers when it is asked how often it was woken, and otherwise sleeps."""

    def initialize(self, config: dict[str, object]) -> None:
        self._naps = 0

    @operation
    def nap(self, seconds: Annotated[float, Bounds(ge=0, le=3600)] = 1.0) -> float:
        """Sleep for a while; how long it really was, in seconds."""
        begin = time.monotonic()
        time.sleep(seconds)
        self._naps += 1
        return time.monotonic() - begin

    @operation(idempotent=True)
    def naps(self) -> int:
        """How many naps came to their end."""
        return self._naps

    @operation
    def hang(self, how: Way = "sleep") -> None:
        """Never return.

        Args:
            how: "sleep", "spin" in a Python loop and "wait" for a lock give way to an interrupt.
                "in_c" runs in C code and sees no interrupt, "stubborn" catches it and goes on,
                "deaf" blocks every signal that can be blocked: these take a kill.
        """
        WAYS[how]()

    def save_state(self) -> dict[str, int]:
        return {"naps": self._naps}

    def restore_state(self, state: dict[str, int]) -> None:
        self._naps = state["naps"]


def sleep() -> None:
    while True:
        time.sleep(3600)


def spin() -> None:
    while True:
        pass


def wait() -> None:
    threading.Event().wait()


def in_c() -> None:
    collections.deque(itertools.repeat(None), maxlen=0)  # one call, no end, no memory


def stubborn() -> None:
    while True:
        with suppress(BaseException):
            sleep()


def deaf() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    sleep()


WAYS: Mapping[str, Callable[[], None]] = {
    "sleep": sleep,
    "spin": spin,
    "wait": wait,
    "in_c": in_c,
    "stubborn": stubborn,
    "deaf": deaf,
}


def plugin_entry() -> Sleeper:
    return Sleeper()
