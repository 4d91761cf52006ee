"""Hosts that have booted and wait for a plugin."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from nebula_lab.link.end import ChannelEndedError
from nebula_lab.sandbox.process_host import ProcessHost
from nebula_lab.sandbox.profile import Profile
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
# For how many profiles there are spares at a time.
_PROFILES = 4


@dataclass(frozen=True, eq=False)
class _Spare:
    surroundings: Surroundings
    profile: Profile
    host: ProcessHost


class SparePool:
    """Keeps a number of spare hosts, and starts new ones while there is nothing else to do.

    What can't be changed in a host any more must be the same when it is taken as it was when it
    was started, or it is thrown away. There are spares for each profile that was asked for lately.

    Args:
        loop: looks from time to time whether to start another.
        start: starts a host, which is not waited for.
        usual: the profile of a plugin that asks for nothing.
        is_idle: whether neither a load nor a call goes on.
        size: how many to keep for each profile; one more in the environment that was asked for
            last, if a plugin chose it.
    """

    def __init__(
        self,
        loop: LoopThread,
        start: Callable[[Surroundings, Profile], ProcessHost],
        usual: Callable[[Surroundings], Profile],
        is_idle: Callable[[], bool],
        size: int,
    ) -> None:
        self.size = size
        self._loop = loop
        self._start = start
        self._is_idle = is_idle
        self._lock = threading.Lock()
        self._usual = usual
        self._spares: list[_Spare] = []
        self._asked_for: list[Profile] = []  # the latest last
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

    def take(self, surroundings: Surroundings, profile: Profile) -> ProcessHost | None:
        """A living spare that was started in the same surroundings, confined alike, if any."""
        with self._lock:
            others = [one for one in self._asked_for if one != profile]
            self._asked_for = [*others, profile][-_PROFILES:]
            self._sort_out(surroundings)
            for spare in self._spares:
                if spare.profile == profile:
                    self._spares.remove(spare)
                    return spare.host
            return None

    def _sort_out(self, surroundings: Surroundings) -> None:
        """Set those aside that are of no use; the caller holds the lock."""
        fitting = [
            one
            for one in self._spares
            if one.surroundings == surroundings
            and one.profile in self._asked_for
            and one.host.is_alive
        ]
        useless = [one.host for one in self._spares if one not in fitting]
        for host in useless:
            host.kill()
        self._useless += useless
        self._spares = fitting

    def _missing(self) -> Profile | None:
        """The profile that wants another spare; the caller holds the lock."""
        for profile in reversed(self._asked_for):
            if sum(one.profile == profile for one in self._spares) < self._wanted(profile):
                return profile
        return None

    def _wanted(self, profile: Profile) -> int:
        """How many spares of a profile are to be there; the caller holds the lock."""
        # In an environment that a plugin chose, a host takes ten times as long to start as a fork
        # does: two reloads one after the other would have the second wait for that.
        is_slow = profile.environment is not None and profile == self._asked_for[-1]
        return self.size + 1 if self.size and is_slow else self.size

    def _is_full(self) -> bool:
        if self._asked_for:
            return self._missing() is None
        return self.size == 0

    def top_up_later(self) -> None:
        """Start what is missing once there has been nothing to do for a while."""
        with self._lock:
            is_full = self._is_full() and not self._useless
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
        else:
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
        with self._lock:
            self._asked_for = [one for one in self._asked_for if one.is_current()]
            if not self._asked_for and self.size:
                self._asked_for = [self._usual(surroundings)]
            profile = self._missing()
        if profile is None:
            return
        host = self._start(surroundings, profile)
        try:
            self._boot(host)
        except BaseException:
            host.dispose()
            raise
        host.on_exit = self._on_exit
        with self._lock:
            self._spares.append(_Spare(surroundings, profile, host))

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
            dead = [one for one in self._spares if not one.host.is_alive]
            self._spares = [one for one in self._spares if one not in dead]
            self._useless += [one.host for one in dead]
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
        hosts = [*self._useless, *(one.host for one in self._spares)]
        for host in hosts:
            host.kill()
        for host in hosts:
            host.dispose()
        self._useless, self._spares = [], []
