"""Who may use a plugin's hosts next: first come, first served, and only so many may wait."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator
from queue import Empty
from typing import TYPE_CHECKING

from nebula_lab.errors import CallCancelledError, PluginError, QueueFullError
from nebula_lab.runtime.gate import Gate
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.ticket import CANCELLED, Ticket, anew, gone

if TYPE_CHECKING:
    from nebula_lab.sandbox.base import Host


class Slots:
    """The free places of a plugin's hosts, and the calls that wait for one.

    A place is held from `acquire` to `release`. While `hold` lasts, as in a reload, nobody gets
    one; with no host at all, as after a crash, callers wait for the next.

    Who uses what is noted in one dict alone, and what is free follows from that: an interrupt
    between two notes could lose a place for ever.

    Args:
        limit: how many calls may wait.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._draining = 0  # how many wait for `_changed`
        self._hosts: list[Host] = []
        self._places = 0
        self._waiting: deque[Ticket] = deque()
        self._users: dict[Invocation, Host] = {}
        self._gate = Gate.OPEN
        self._has_given_in = False
        self._refusal: PluginError | None = None

    @property
    def hosts(self) -> tuple[Host, ...]:
        return tuple(self._hosts)

    @property
    def queue_length(self) -> int:
        return len(self._waiting)

    @property
    def places(self) -> int:
        """How many calls the hosts take at once."""
        return self._places * len(self._hosts)

    def idle_hosts(self) -> list[Host]:
        """The hosts at which no call holds a place."""
        with self._lock:
            return [host for host in self._hosts if host not in self._users.values()]

    def users(self) -> list[Invocation]:
        """The calls that hold a place now."""
        with self._lock:
            return list(self._users)

    def has_free(self) -> bool:
        with self._lock:
            return self._free_host() is not None

    def _free_host(self, wish: Host | None = None) -> Host | None:
        """The host with the fewest calls, or that one, if it takes another; the lock is held."""
        users = self._users
        if wish is not None:
            is_there = wish in self._hosts and list(users.values()).count(wish) < self._places
            return wish if is_there else None
        if not users:
            return self._hosts[0] if self._hosts else None
        used = list(users.values())
        host = min(self._hosts, key=used.count, default=None)
        return host if host is not None and used.count(host) < self._places else None

    def host_of(self, invocation: Invocation) -> Host | None:
        """Where a call holds a place."""
        return self._users.get(invocation)

    # Places

    def take(self, invocation: Invocation, at: Host | None = None) -> Host | None:
        """Take a place that is free and that nobody waits for; None where there is none.

        Args:
            invocation: the call that is to hold it.
            at: the host where it is to be; any, without.

        Raises:
            PluginError: the plugin is failed, unloading or closed.
        """
        with self._lock:
            if self._refusal is not None:
                raise anew(self._refusal)
            if self._gate is not Gate.OPEN or self._waiting:
                return None
            host = self._free_host(at)
            if host is not None:
                self._users[invocation] = host
            return host

    def acquire(
        self,
        invocation: Invocation,
        once_queued: Callable[[], None] | None = None,
        at: Host | None = None,
    ) -> Host:
        """Take a place, waiting for it until the call's deadline.

        Args:
            invocation: the call that is to hold it.
            once_queued: called when there is none at once and the call waits; may raise.
            at: the host where it is to be.

        Raises:
            TimeoutError: the deadline passed while the call waited.
            CallCancelledError: it was cancelled while it waited.
            QueueFullError: too many wait already.
            PluginError: the plugin is failed, unloading or closed.
        """
        taken = self.take(invocation, at)
        return taken or self._wait(Ticket(invocation, at), once_queued)

    def _wait(self, ticket: Ticket, once_queued: Callable[[], None] | None) -> Host:
        invocation = ticket.invocation
        try:
            self._queue(ticket)
            invocation.stop_by(lambda: ticket.box.put(CANCELLED))
            if once_queued is not None:
                once_queued()
            got = ticket.box.get(timeout=invocation.left())
        except Empty:
            self._withdraw(ticket)
            raise TimeoutError from None
        except BaseException:
            self._withdraw(ticket)
            raise
        finally:
            invocation.stop_by(None)
        if isinstance(got, PluginError):
            self._withdraw(ticket)
            raise anew(got)
        if got is CANCELLED:
            self._withdraw(ticket)
            raise CallCancelledError(
                f"{invocation.reason} while it waited",
                plugin_id=invocation.plugin_id,
                operation=invocation.operation,
            )
        host: Host = got
        return host

    @contextlib.contextmanager
    def place(self, invocation: Invocation, at: Host | None = None) -> Iterator[Host]:
        """Hold a place meanwhile, for what is no call of an operation; as `acquire`."""
        host = self.acquire(invocation, at=at)
        try:
            yield host
        finally:
            self.release(invocation)

    def _queue(self, ticket: Ticket) -> None:
        with self._lock:
            if self._refusal is not None:
                raise anew(self._refusal)
            if ticket.wish is not None and ticket.wish not in self._hosts:
                raise gone(ticket)  # it would wait for ever, and others behind it
            self._waiting.append(ticket)
            self._hand_out()
            # Who is held back by what is done to the plugin is not one too many.
            if len(self._waiting) <= self._limit or self._gate is not Gate.OPEN:
                return
        raise QueueFullError(
            f"{self._limit} calls wait for it already",
            plugin_id=ticket.invocation.plugin_id,
            operation=ticket.invocation.operation,
            hint="Call it less often, or raise queue_size, or give it more replicas.",
        )

    def pass_on(self, invocation: Invocation, to: Invocation) -> Host | None:
        """Let another call have a call's place; None where it has none, or no longer."""
        with self._lock:
            host = self._users.pop(invocation, None)
            if host is not None:
                self._users[to] = host
            return host

    def _withdraw(self, ticket: Ticket) -> None:
        """Wait no more; a place that was handed over meanwhile goes to the next."""
        with self._lock:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        self.release(ticket.invocation)

    def release(self, invocation: Invocation) -> None:
        """Give a call's place back."""
        with self._lock:
            try:
                self._users.pop(invocation, None)
            finally:
                if self._waiting:
                    self._hand_out()
                if self._draining:
                    self._changed.notify_all()

    def _hand_out(self) -> None:
        while self._waiting and self._gate is Gate.OPEN:
            if not self._serve(self._waiting[0]):
                return

    def _serve(self, ticket: Ticket) -> bool:
        """Give a call the place that it waits for; False if there is none."""
        if ticket.invocation not in self._users:  # else one was interrupted at this
            host = self._free_host(ticket.wish)
            if host is None:
                return False
            self._users[ticket.invocation] = host
            ticket.box.put(host)
        self._waiting.remove(ticket)
        return True

    # Hosts

    def add(self, host: Host, places: int) -> None:
        """Let calls have so many places at a host."""
        with self._lock:
            self._refusal = None
            self._hosts.append(host)
            self._places = places
            self._hand_out()

    def remove(self, host: Host) -> bool:
        """Hand out no more places at a host; False if it has been removed before."""
        with self._lock:
            if host not in self._hosts:
                return False
            self._hosts.remove(host)
            vain = [ticket for ticket in self._waiting if ticket.wish is host]
            for ticket in vain:
                self._waiting.remove(ticket)
                ticket.box.put(gone(ticket))
            if vain:
                self._hand_out()  # they may have kept others from a place elsewhere
            return True

    # What is done between two calls

    @property
    def gate(self) -> Gate:
        return self._gate

    @property
    def has_given_in(self) -> bool:
        """Whether the last `hold` was given up for a call that could not wait."""
        return self._has_given_in

    def waiting(self) -> list[Invocation]:
        """The calls that wait for a place, in the order in which they came."""
        with self._lock:
            return [ticket.invocation for ticket in self._waiting]

    def hold(self) -> None:
        """Hand out no places for now; who comes waits."""
        with self._lock:
            self._gate = Gate.DRAINING
            self._has_given_in = False

    def admit(self, calls: Collection[Invocation]) -> None:
        """Give these what places are free, although others are held, until it is sealed."""
        with self._lock:
            if self._gate is Gate.DRAINING:
                for ticket in [one for one in self._waiting if one.invocation in calls]:
                    self._serve(ticket)

    def seal(self) -> bool:
        """Admit none any more; False if some still run, but for streams that have been stopped."""
        with self._lock:
            # The callers of those need not have noticed.
            if all(call.is_stream and call.cancelled for call in self._users):
                self._gate = Gate.SEALED
            return self._gate is Gate.SEALED

    def unseal(self) -> None:
        """Take back a `seal`."""
        with self._lock:
            if self._gate is Gate.SEALED:
                self._gate = Gate.DRAINING

    def give_in(self) -> bool:
        """Hold calls no longer, if they are sealed off; what is done meanwhile is in vain then."""
        with self._lock:
            if self._gate is not Gate.SEALED:
                return False
            self._gate, self._has_given_in = Gate.OPEN, True
            self._hand_out()
            return True

    def settle(self) -> bool:
        """Give in to nobody any more; False if it has happened."""
        with self._lock:
            if self._gate is Gate.SEALED:
                self._gate = Gate.SETTLED
            return not self._has_given_in

    def resume(self) -> None:
        """End a `hold`."""
        with self._lock:
            self._gate = Gate.OPEN
            self._hand_out()

    @contextlib.contextmanager
    def reserved(self, errand: Invocation, host: Host) -> Iterator[None]:
        """Keep a place from calls that would come to a host if they were not held any more."""
        try:
            with self._lock:
                self._users[errand] = host
            yield
        finally:
            self.release(errand)

    def drained(self, timeout: float) -> bool:
        """Wait until no call holds a place; False if some still do after so many seconds."""
        with self._lock:
            self._draining += 1
            try:
                return self._changed.wait_for(lambda: not self._users, timeout)
            finally:
                self._draining -= 1

    def refuse(self, error: PluginError) -> None:
        """Fail who waits and who comes, until a host is added or `welcome` is called."""
        with self._lock:
            self._refusal = error
            self._gate = Gate.OPEN
            waiting, self._waiting = self._waiting, deque()
        for ticket in waiting:
            ticket.box.put(error)

    def welcome(self) -> None:
        """End a `refuse`."""
        with self._lock:
            self._refusal = None
