"""One event loop on one thread, for whatever has to be watched while nobody waits."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class LoopThread:
    """An asyncio loop on a daemon thread: kernels are started there, pipes and exits watched."""

    def __init__(self, name: str = "nebula-loop") -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._end_tasks()
            self._loop.close()

    def _end_tasks(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    @property
    def is_current(self) -> bool:
        """Whether the caller runs on this very thread, which must not block."""
        return threading.current_thread() is self._thread

    def run(self, coroutine: Coroutine[Any, Any, T], timeout: float | None = None) -> T:
        """Run a coroutine there and wait for its result.

        Raises:
            TimeoutError: it took longer than `timeout` seconds; it is cancelled then.
        """
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout)
        except BaseException:
            future.cancel()
            raise

    def call(self, function: Callable[..., object], *arguments: Any) -> None:
        """Have a function called there soon; nothing happens once the loop is closed."""
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            if not self._loop.is_closed():
                raise

    def call_later(self, delay: float, function: Callable[..., object], *arguments: Any) -> None:
        """Have a function called there in `delay` seconds."""
        if self.is_current and not self._loop.is_closed():
            self._loop.call_later(delay, function, *arguments)  # nobody needs to be woken
        else:
            self.call(self._loop.call_later, delay, function, *arguments)

    def watch(self, descriptor: int, on_readable: Callable[[], object]) -> None:
        """Call `on_readable` there whenever `descriptor` can be read."""
        self.call(self._loop.add_reader, descriptor, on_readable)

    def unwatch(self, descriptor: int) -> None:
        """Watch no more, and return when that is so: the descriptor can be closed then."""
        if self.is_current:
            self._loop.remove_reader(descriptor)
            return
        done = threading.Event()

        def remove() -> None:
            self._loop.remove_reader(descriptor)
            done.set()

        self.call(remove)
        while not done.wait(0.05):
            if not self._thread.is_alive():
                return

    def close(self) -> None:
        """End the loop and its thread. From the thread itself, it ends soon after."""
        self.call(self._loop.stop)
        if not self.is_current:
            self._thread.join()
