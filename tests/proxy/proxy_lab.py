"""A proxy on loopback, and servers for it to reach."""

from __future__ import annotations

import socket
import socketserver
import threading

from nebula_lab.sandbox.host_proxy import HostProxy

DEADLINE = 10


class Origin:
    """A server on loopback; each connection is handled on a thread by `handle(socket)`."""

    def __init__(self, handle, host="127.0.0.1"):
        self.received = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(handler):
                handler.request.settimeout(DEADLINE)
                handle(handler.request, self)

        class Server(socketserver.ThreadingTCPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            daemon_threads = False  # so that closing waits for what they note down
            request_queue_size = 128

        self._server = Server((host, 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Lab:
    """What a test starts; all of it is closed after the test."""

    def __init__(self):
        self.refused = []
        self._open = []

    def origin(self, handle, **options) -> Origin:
        return self._kept(Origin(handle, **options))

    def proxy(self, *allowed, limits=None) -> HostProxy:
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = listener.getsockname()
        refused = lambda host, port: self.refused.append((host, port))  # noqa: E731
        return self._kept(HostProxy(listener, allowed, refused, limits=limits))

    def client(self, first: bytes = b"") -> socket.socket:
        client = self._kept(socket.create_connection(self.address, DEADLINE))
        client.sendall(first)
        return client

    def ask(self, request: bytes) -> bytes:
        """All that comes back on a connection of its own."""
        return read_all(self.client(request))

    def _kept(self, thing):
        self._open.append(thing)
        return thing

    def close(self):
        while self._open:
            self._open.pop().close()


def read_all(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(65536), b""))


def read_exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        assert piece, data
        data += piece
    return data


def read_head(sock: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read_exactly(sock, 1)
    return head


def echo(sock, origin):
    """Send back what comes, to the end."""
    try:
        while data := sock.recv(65536):
            sock.sendall(data)
    except OSError:
        origin.received.append("broken")
    else:
        origin.received.append("ended")
