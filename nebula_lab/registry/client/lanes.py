"""Connections to registries, so that each request can be ended without any other."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import httpx

from nebula_lab._version import __version__
from nebula_lab.registry.client.patience import Patience

__all__ = ["Lane", "Lanes"]


class Lane:
    """A client that has one request under way at a time, and its connections.

    A client that several threads use would not say which of its connections is for which request,
    where one that stands already is used again.

    Args:
        patience: how long things may take.
        stopped: whether all is to end.
    """

    def __init__(self, patience: Patience, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._connections: list[Any] = []
        self.client = httpx.Client(
            verify=_certificates(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")),
            follow_redirects=False,
            timeout=httpx.Timeout(patience.silence, connect=patience.connect),
            limits=httpx.Limits(max_connections=2),
            headers={
                "User-Agent": f"nebula-lab/{__version__}",
                # What is sent must be what is hashed, counted and continued.
                "Accept-Encoding": "identity",
            },
        )

    def request(self, url: str, headers: Mapping[str, str]) -> httpx.Request:
        """A GET that is to be sent by this client."""
        return self.client.build_request(
            "GET", url, headers=headers, extensions={"trace": self._trace}
        )

    def shut(self) -> None:
        """End what is under way, at once: its reader gets an error."""
        for connection in list(self._connections):
            _shut(connection)

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Note each connection as soon as it stands; httpx calls this at every step."""
        connection = info.get("return_value")
        if hasattr(connection, "get_extra_info"):
            self._connections = [*filter(_is_open, self._connections), connection]
            if self._stopped.is_set():
                _shut(connection)


class Lanes:
    """As many lanes as there are requests at the same time. Any thread may use it.

    Args:
        patience: how long things may take.
        stopped: whether all is to end.
    """

    def __init__(self, patience: Patience, stopped: threading.Event) -> None:
        self._patience = patience
        self._stopped = stopped
        self._lock = threading.Lock()
        self._all: list[Lane] = []
        self._free: list[Lane] = []

    @contextlib.contextmanager
    def free(self) -> Iterator[Lane]:
        """A lane for this thread alone, as long as the block runs."""
        with self._lock:
            lane = self._free.pop() if self._free else None
        if lane is None:
            lane = Lane(self._patience, self._stopped)
            with self._lock:
                self._all.append(lane)
        try:
            yield lane
        finally:
            with self._lock:
                self._free.append(lane)

    def shut(self) -> None:
        """End what is under way on all of them."""
        with self._lock:
            lanes = list(self._all)
        for lane in lanes:
            lane.shut()

    def close(self) -> None:
        """Let connections go."""
        with self._lock:
            lanes, self._all, self._free = self._all, [], []
        for lane in lanes:
            lane.client.close()


@lru_cache(maxsize=4)
def _certificates(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Whom TLS trusts, by the variables that httpx heeds; reading it takes a tenth of a second."""
    return httpx.create_ssl_context()


def _is_open(connection: Any) -> bool:
    found = connection.get_extra_info("socket")
    return found is not None and found.fileno() >= 0


def _shut(connection: Any) -> None:
    """Wake whoever reads from a connection: closing its socket would not."""
    with contextlib.suppress(OSError, AttributeError):
        connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
