"""Hosts that have booted and wait for a plugin."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator

from nebula_lab.link.channel import ChannelEndedError
from nebula_lab.sandbox.process_host import ProcessHost
from nebula_lab.sandbox.surroundings import Surroundings
from nebula_lab.transport.loop import LoopThread

_log = logging.getLogger("nebula_lab")
# Seconds between a load and the start of the next spare. On two cores a kernel that boots would
# slow what a plugin that has just come up does first.
_REST = 0.3
# Seconds until one that says nothing while it boots is given up, on a machine under heavy load.
_BOOTING = 60.0
# Attempts one after the other, each after twice the rest of the one before; then the next load is
# waited for, which meets whatever it is too, and says so to whom it concerns.
_ATTEMPTS = 5


class SparePool:
    """Keeps a number of spare hosts, and starts new ones while there is nothing else to do.

    What can't be changed in a host any more must be the same when it is taken as it was when it
    was started, or it is thrown away.

    Args:
        loop: looks from time to time whether to start another.
        start: starts a host, which is not waited for.
        is_idle: whether neither a load nor a call goes on.
        size: how many to keep.
    """

    def __init__(
        self,
        loop: LoopThread,
        start: Callable[[Surroundings], ProcessHost],
        is_idle: Callable[[], bool],
        size: int,
    ) -> None:
        self.size = size
        self._loop = loop
        self._start = start
        self._is_idle = is_idle
        self._lock = threading.Lock()
        self._spares: list[tuple[Surroundings, ProcessHost]] = []
        self._loads = 0
        self._is_due = False
        self._useless: list[ProcessHost] = []
        self._booting: ProcessHost | None = None
        self._errors = 0  # one after the other
        self._worker: threading.Thread | None = None
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._spares)

    @contextlib.contextmanager
    def not_now(self) -> Iterator[None]:
        """While a load goes on: start no spare."""
        with self._lock:
            self._loads += 1
        try:
            yield
        finally:
            with self._lock:
                self._loads -= 1
                self._errors = 0
            self.top_up_later()

    def take(self, surroundings: Surroundings) -> ProcessHost | None:
        """A living spare that was started in the same surroundings, if there is one."""
        with self._lock:
            self._sort_out(surroundings)
            return self._spares.pop(0)[1] if self._spares else None

    def _sort_out(self, surroundings: Surroundings) -> None:
        """Set those aside that are of no use; the caller holds the lock."""
        fitting = [one for one in self._spares if _fits(one, surroundings)]
        useless = [host for one, host in self._spares if (one, host) not in fitting]
        for host in useless:
            host.kill()
        self._useless += useless
        self._spares = fitting

    def top_up_later(self) -> None:
        """Start what is missing once there has been nothing to do for a while."""
        with self._lock:
            is_full = len(self._spares) >= self.size and not self._useless
            if self._is_due or self._is_closed or is_full or self._errors >= _ATTEMPTS:
                return
            self._is_due = True
            rest = _REST * 2**self._errors
        self._loop.call_later(rest, self._top_up)

    def _top_up(self) -> None:
        with self._lock:
            self._is_due = False
            if self._is_closed:
                return
            is_quiet = self._loads == 0 and self._worker is None and self._is_idle()
            if is_quiet:
                self._start_worker()
        if not is_quiet:
            self.top_up_later()

    def _start_worker(self) -> None:
        worker = threading.Thread(target=self._work, name="nebula-spares", daemon=True)
        worker.start()
        self._worker = worker

    def _work(self) -> None:
        """Do one of the things that there are to do, on a thread of its own."""
        try:
            self._dispose_or_start()
            self._errors = 0
        except (OSError, TimeoutError, ChannelEndedError) as error:
            self._errors += 1
            _log.info("a spare kernel could not be started or ended: %s", error)
        finally:
            with self._lock:
                self._worker = None
        self.top_up_later()

    def _dispose_or_start(self) -> None:
        with self._lock:
            useless = self._useless.pop() if self._useless else None
        if useless is not None:
            self._dispose(useless)
        elif len(self._spares) < self.size:
            self._start_one()

    def _dispose(self, useless: ProcessHost) -> None:
        try:
            useless.dispose()
        except BaseException:
            with self._lock:
                self._useless.insert(0, useless)  # others come before it the next time
            raise

    def _start_one(self) -> None:
        surroundings = Surroundings.now()
        host = self._start(surroundings)
        try:
            self._boot(host)
        except BaseException:
            host.dispose()
            raise
        host.on_exit = self._on_exit
        with self._lock:
            self._spares.append((surroundings, host))

    def _boot(self, host: ProcessHost) -> None:
        """Wait until a host is up, or `close` ends it."""
        with self._lock:
            self._booting = host
            if self._is_closed:
                host.kill()
        try:
            host.link.greet(_BOOTING)
        finally:
            with self._lock:
                self._booting = None

    def _on_exit(self) -> None:
        """A spare has died, or one that was taken and whose taker has not said what to do then."""
        with self._lock:
            dead = [one for one in self._spares if not one[1].is_alive]
            self._spares = [one for one in self._spares if one not in dead]
            self._useless += [host for _, host in dead]
        self.top_up_later()

    def close(self) -> None:
        """End all spares and start no more. Can be called again."""
        with self._lock:
            self._is_closed = True
            worker = self._worker
            if self._booting is not None:
                self._booting.kill()  # what it boots with may take as long as it likes
        if worker is not None:
            worker.join()
        hosts = [*self._useless, *(host for _, host in self._spares)]
        for host in hosts:
            host.kill()
        for host in hosts:
            host.dispose()
        self._useless, self._spares = [], []


def _fits(spare: tuple[Surroundings, ProcessHost], surroundings: Surroundings) -> bool:
    return spare[0] == surroundings and spare[1].is_alive
