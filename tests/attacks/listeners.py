"""Sockets of the test's own, and what reached them."""

from __future__ import annotations

import os
import selectors
import socket
import threading
from collections import Counter
from pathlib import Path
from typing import Any


class Listeners:
    """Accepts, reads, answers and counts, on a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self._name = f"nebula-attack-{folder.name}"
        self._folder = folder
        self.reached: Counter[str] = Counter()
        # Kept, so that who sends to them is not told that nobody listens.
        self._accepted: list[socket.socket] = []
        self._ending = os.eventfd(0)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._ending, selectors.EVENT_READ)
        loopback = ("127.0.0.1", 0)
        self._tcp = self._listen("tcp", socket.AF_INET, socket.SOCK_STREAM, loopback)
        self._udp = self._listen("udp", socket.AF_INET, socket.SOCK_DGRAM, loopback)
        unix = socket.AF_UNIX
        self._listen("unix", unix, socket.SOCK_STREAM, str(folder / "stream"))
        self._listen("datagram", unix, socket.SOCK_DGRAM, str(folder / "datagram"))
        self._listen("abstract", unix, socket.SOCK_STREAM, f"\0{self._name}")
        self._listen("abstract datagram", unix, socket.SOCK_DGRAM, f"\0{self._name}-datagram")
        self._thread = threading.Thread(target=self._serve, name="attack listeners")
        self._thread.start()

    def _listen(self, name: str, family: int, kind: int, address: Any) -> socket.socket:
        listener = socket.socket(family, kind)
        listener.bind(address)
        if kind == socket.SOCK_STREAM:
            listener.listen()
        self._selector.register(listener, selectors.EVENT_READ, name)
        return listener

    def target(self) -> dict[str, Any]:
        return {
            "tcp_port": self._tcp.getsockname()[1],
            "udp_port": self._udp.getsockname()[1],
            "unix_path": str(self._folder / "stream"),
            "sibling_socket": str(self._folder / "stream"),
            "datagram_path": str(self._folder / "datagram"),
            "abstract_name": self._name,
        }

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj == self._ending:
                    return
                self.reached[key.data] += 1
                self._answer(key.fileobj)

    def _answer(self, listener: Any) -> None:
        if listener.type == socket.SOCK_STREAM:
            self._accepted.append(listener.accept()[0])
            return
        data, sender = listener.recvfrom(4096)
        if sender and listener.family == socket.AF_INET:
            listener.sendto(data, sender)

    def close(self) -> None:
        os.eventfd_write(self._ending, 1)
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        for connection in self._accepted:
            connection.close()
        self._selector.close()
        os.close(self._ending)
