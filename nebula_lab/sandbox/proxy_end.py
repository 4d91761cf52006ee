"""The manager's end of a host's network: nothing, or the proxy that its one port leads to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from nebula_lab.confine.confinement import Network
from nebula_lab.confine.loopback import received_listener

if TYPE_CHECKING:
    from nebula_lab.sandbox.host_proxy import HostProxy


class ProxyEnd:
    """Gets the listener that a host makes before it has read anything of a plugin.

    Args:
        network: what the host may reach.
    """

    def __init__(self, network: Network) -> None:
        self._ours: socket.socket | None = None
        self._theirs: socket.socket | None = None
        self._proxy: HostProxy | None = None
        if network is Network.PROXY:
            self._ours, self._theirs = socket.socketpair()

    @property
    def for_host(self) -> int:
        """The descriptor to start the host with; -1 without a proxy."""
        return -1 if self._theirs is None else self._theirs.fileno()

    def started(self) -> None:
        """The host has its end."""
        if self._theirs is not None:
            self._theirs.close()
            self._theirs = None

    def serve(self, allowed: tuple[str, ...], on_refused: Callable[[str, int], None]) -> None:
        """Let the plugin reach these hosts, from now on; nothing happens without a proxy.

        Raises:
            OSError: the host has not handed over a listener.
        """
        if self._ours is None:
            return
        from nebula_lab.sandbox.host_proxy import HostProxy

        listener = received_listener(self._ours.fileno())
        try:
            self._proxy = HostProxy(listener, allowed, on_refused)
        except BaseException:
            listener.close()
            raise

    def close(self) -> None:
        """End everything. Can be called again."""
        self.started()
        ours, self._ours = self._ours, None
        if ours is not None:
            ours.close()
        proxy, self._proxy = self._proxy, None
        if proxy is not None:
            proxy.close()
