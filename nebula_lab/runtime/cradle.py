"""Hosts that are being brought up, until they serve or nobody wants them any more."""

from __future__ import annotations

import threading

from nebula_lab.runtime.record import PluginRecord
from nebula_lab.sandbox.base import Host


class Cradle:
    """Knows each host from the moment when it is there.

    A KeyboardInterrupt may hit the thread that brings hosts up anywhere, also between two steps
    of which the first gave it a host and the second was to note it. So the host is noted by the
    thread that starts it, and what is to happen as a whole is done by another that claims them.

    Attributes:
        peers: what calls of other plugins that are made there go to, until they serve; by id.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hosts: list[Host] = []
        self._is_claimed = False
        self._is_abandoned = False
        self.peers: dict[str, PluginRecord] = {}

    def put(self, host: Host) -> None:
        """Note a host; one that comes too late is ended at once."""
        with self._lock:
            self._hosts.append(host)
            is_late = self._is_abandoned
        if is_late:
            _end(host)

    def empty(self) -> None:
        """End the hosts that are there; others may come."""
        with self._lock:
            hosts, self._hosts = self._hosts, []
        for host in hosts:
            _end(host)

    def claim(self) -> bool:
        """Take the hosts over to serve; False if they have been abandoned."""
        with self._lock:
            self._is_claimed = not self._is_abandoned
            return self._is_claimed

    def abandon(self) -> bool:
        """End the hosts, and those that are still to come; False if they have been claimed."""
        with self._lock:
            self._is_abandoned = not self._is_claimed
            hosts = list(self._hosts) if self._is_abandoned else []
        for host in hosts:
            _end(host)
        return self._is_abandoned


def _end(host: Host) -> None:
    host.on_exit = host.link.on_ended = lambda: None
    host.dispose()
