"""The proxy through which a plugin with `allowed_hosts` reaches them, and nothing else.

The plugin's own network has only this proxy in it, so whoever connects is that plugin, and hostile.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from nebula_lab.sandbox.proxy.allowed_hosts import AllowedHosts, Destination
from nebula_lab.sandbox.proxy.connection import ProxyLimits, serve
from nebula_lab.sandbox.proxy.relay import Stream
from nebula_lab.transport.loop import LoopThread

__all__ = ["HostProxy", "ProxyLimits"]

# Only these use threads, since the C library knows no other way to look up a name.
_RESOLVERS = 4
_MOST_REPORTS = 100
# What passes when others have closed something: descriptors and memory.
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_SHORTAGE_SECONDS = 1.0


class HostProxy:
    """Serves one plugin until it is closed, on a thread of its own.

    It speaks HTTP (CONNECT, and requests for `http://` URLs) and SOCKS5. A name is looked up here,
    and a name that is allowed may have any address; an address is allowed only if it is listed.

    Args:
        listener: a listening socket; it is the proxy's from now on.
        allowed: hosts, each with a port if only that is meant: `api.example.org`,
            `*.example.org:443`, `[::1]:8080`.
        on_refused: called on the proxy's thread with each host and port that was asked for and is
            not allowed, the first time and for the first hundred; it must not block.
        limits: how much the plugin may ask for.

    Raises:
        ValueError: an allowed host is none; the listener is still the caller's then.
    """

    def __init__(
        self,
        listener: socket.socket,
        allowed: Sequence[str],
        on_refused: Callable[[str, int], None],
        *,
        limits: ProxyLimits | None = None,
    ) -> None:
        self._allowed = AllowedHosts(allowed)
        self._listener = listener
        self._on_refused = on_refused
        self._limits = limits or ProxyLimits()
        self._reported: set[Destination] = set()
        self._connections: set[asyncio.Task[None]] = set()
        self._resolvers = ThreadPoolExecutor(_RESOLVERS, "nebula-proxy-names")
        self._is_closed = False
        listener.setblocking(False)
        self._loop = LoopThread("nebula-proxy")
        self._loop.run(self._start())

    def close(self) -> None:
        """End every connection, the listener and the thread. To close again does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.run(self._stop())
        self._loop.close()
        self._resolvers.shutdown(wait=False, cancel_futures=True)
        self._listener.close()

    async def _start(self) -> None:
        asyncio.get_running_loop().set_default_executor(self._resolvers)
        self._watch_listener()

    async def _stop(self) -> None:
        self._unwatch_listener()
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)  # transports close their sockets in the loop's next round

    # Accepting

    def _watch_listener(self) -> None:
        if not self._is_closed:
            asyncio.get_running_loop().add_reader(self._listener, self._accept)

    def _unwatch_listener(self) -> None:
        asyncio.get_running_loop().remove_reader(self._listener)

    def _accept(self) -> None:
        # Who has all places waits in the listener's queue, which is the kernel's to bound.
        if len(self._connections) >= self._limits.connections:
            self._unwatch_listener()
            return
        try:
            client, _ = self._listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            self._unwatch_listener()
            if error.errno not in _SHORTAGES:
                raise
            asyncio.get_running_loop().call_later(_SHORTAGE_SECONDS, self._watch_listener)
            return
        client.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._serve(client))
        self._connections.add(task)
        task.add_done_callback(partial(self._ended, client))

    async def _serve(self, client: socket.socket) -> None:
        stream = Stream(*await asyncio.open_connection(sock=client))
        await serve(stream, self._allowed, self._report, self._limits)

    def _ended(self, client: socket.socket, task: asyncio.Task[None]) -> None:
        client.close()  # a task that was cancelled before its first step has closed nothing
        self._connections.discard(task)
        self._watch_listener()

    def _report(self, destination: Destination) -> None:
        if destination in self._reported or len(self._reported) >= _MOST_REPORTS:
            return
        self._reported.add(destination)
        self._on_refused(*destination)
