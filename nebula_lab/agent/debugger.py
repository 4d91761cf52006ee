"""A debugger that any Jupyter front end attaches to, without a port and without another process.

ipykernel starts debugpy's adapter as a program and talks to it over TCP, which a confined host can
neither start nor reach, and which anybody on the machine could. debugpy can be its own adapter, and
of its listener it asks only to accept: ours hands it one end of a socketpair each time.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import linecache
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from socket import MSG_DONTWAIT, socket, socketpair
from typing import Any

from ipykernel.compiler import get_tmp_directory
from ipykernel.debugger import Debugger, DebugpyClient

from nebula_lab.agent.staging import StagedFinder

__all__ = ["PluginDebugger"]

Message = dict[str, Any]
# debugpy takes it for one of its own sockets' addresses, and never uses it.
_NOWHERE = ("127.0.0.1", 0)
_HEADER = re.compile(rb"Content-Length: *(\d+)\r\n\r\n")
_READ_SIZE = 2**16
_DEADLINE = 10.0  # seconds, for debugpy's threads to start


class _Listener:
    """As much of a listening socket as debugpy uses."""

    def __init__(self) -> None:
        self._ends: SimpleQueue[socket | None] = SimpleQueue()
        self.is_used = threading.Event()

    def offer(self, end: socket) -> None:
        self._ends.put(end)

    def getsockname(self) -> tuple[str, int]:
        self.is_used.set()
        return _NOWHERE

    def listen(self, backlog: int) -> None: ...

    def accept(self) -> tuple[socket, tuple[str, int]]:
        end = self._ends.get()
        if end is None:
            raise ConnectionAbortedError
        return end, _NOWHERE

    def close(self) -> None:
        self._ends.put(None)


class _Client(DebugpyClient):  # type: ignore[misc]  # mypy does not follow ipykernel
    """Speaks the Debug Adapter Protocol over a socketpair, on the control channel's event loop.

    Answers are told apart by numbers of our own: the kernel asks too, between a client's questions.
    """

    def __init__(self, log: Any, debugpy_stream: Any, event_callback: Any) -> None:
        super().__init__(log, debugpy_stream, event_callback)
        self._listener = _Listener()
        self._socket: socket | None = None
        self._arrived = bytearray()
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Message]] = {}

    def start(self) -> None:
        """Have debugpy trace this process and wait for `connect_tcp_socket`.

        Raises:
            RuntimeError: the plugin has it listen elsewhere.
        """
        import debugpy
        import pydevd
        import pydevd_file_utils

        usual, pydevd.create_server_socket = pydevd.create_server_socket, self._make_listener
        try:
            debugpy.listen(_NOWHERE, in_process_debug_adapter=True)
            # Up to 1.8.21 it makes its listener on another thread, and does not wait for that.
            self._listener.is_used.wait(_DEADLINE)
        finally:
            pydevd.create_server_socket = usual
        pydevd_file_utils.exists = _or_is_staged(pydevd_file_utils.exists)
        os.register_at_fork(after_in_child=_let_go)

    def _make_listener(self, host: str, port: int) -> _Listener:
        return self._listener

    def get_host_port(self) -> tuple[str, int]:
        return _NOWHERE

    def connect_tcp_socket(self) -> None:
        self._socket, end = socketpair()
        self._listener.offer(end)
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def disconnect_tcp_socket(self) -> None:
        if self._socket is None:
            return
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self._socket = None
        self._arrived.clear()
        self.init_event.clear()
        for question in self._asked.values():
            question.set_result({"type": "response", "success": False, "message": "disconnected"})
        self._asked.clear()

    async def send_dap_request(self, msg: Message) -> Message:
        answer = await self._ask(msg)
        # ipykernel's clients leave this to the kernel, which is to do it once it is attached.
        if msg["command"] == "attach" and answer["success"]:
            await self.init_event.wait()
            await self._ask({"type": "request", "seq": 0, "command": "configurationDone"})
        return answer

    async def _ask(self, request: Message) -> Message:
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._send_request({**request, "seq": number})
        return {
            "command": request["command"],
            **(await answer),
            "request_seq": request["seq"],
        }

    def _send_request(self, msg: Message) -> None:
        if self._socket is None:
            raise ConnectionError("no debugger is attached: ask it to initialize first")
        content = json.dumps(msg).encode()
        # It never waits for us when it reads, so this can't wait for long.
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(content), content))

    def _read(self) -> None:
        assert self._socket is not None
        try:
            arrived = self._socket.recv(_READ_SIZE, MSG_DONTWAIT)
        except BlockingIOError:
            return
        if not arrived:  # the plugin has ended debugpy's threads
            self.disconnect_tcp_socket()
            return
        self._arrived += arrived
        for message in self._messages():
            if message["type"] == "event":
                self._forward_event(message)
            elif question := self._asked.pop(message["request_seq"], None):
                question.set_result(message)

    def _messages(self) -> Iterator[Message]:
        """Take those that have arrived as a whole."""
        while header := _HEADER.match(self._arrived):
            end = header.end() + int(header[1])
            if len(self._arrived) < end:
                return
            content = bytes(self._arrived[header.end() : end])
            del self._arrived[:end]
            yield json.loads(content)


class PluginDebugger(Debugger):  # type: ignore[misc]  # mypy does not follow ipykernel
    """ipykernel's debugger, in a host; it attaches while an operation runs, too."""

    debugpy_client: _Client
    debugpy_initialized: bool

    def __init__(self, log: Any, debugpy_stream: Any, event_callback: Any, *args: Any) -> None:
        super().__init__(log, debugpy_stream, event_callback, *args)
        self.debugpy_client = _Client(log, debugpy_stream, self._handle_event)

    def start(self) -> bool:
        if not self.debugpy_initialized:
            Path(get_tmp_directory()).mkdir(mode=0o700, parents=True, exist_ok=True)
            # ipykernel runs this as a cell, which would wait for an operation to end.
            self.debugpy_client.start()
            self.debugpy_initialized = True
        super().start()
        return True

    async def process_request(self, message: Message) -> Message:
        try:
            return await super().process_request(message)  # type: ignore[no-any-return]
        except Exception as error:  # noqa: BLE001 - a client that gets no answer waits for ever
            return _answer(message, success=False, message=f"{type(error).__name__}: {error}")

    async def source(self, message: Message) -> Message:
        """The lines that run, which need not be those that the file has by now."""
        path = message["arguments"]["source"]["path"]
        if _is_staged(path):
            return _answer(message, body={"content": "".join(linecache.getlines(path))})
        return await super().source(message)  # type: ignore[no-any-return]

    async def modules(self, message: Message) -> Message:
        """Modules by the names that their code has, so that breakpoints can be set there."""
        reply: Message = await super().modules(message)
        finders = [one for one in sys.meta_path if isinstance(one, StagedFinder)]
        for module in reply["body"]["modules"]:
            for finder in finders:
                module["path"] = finder.shown(module["path"])
        return _answer(message) | reply


def _is_staged(path: str) -> bool:
    """Whether this names a file whose copy was read, as `Staged.compiled` notes it."""
    entry = linecache.cache.get(path)
    return entry is not None and len(entry) > 1 and entry[1] is None


def _or_is_staged(exists: Callable[[str], bool]) -> Callable[[str], bool]:
    """Let breakpoints be set in files that are not seen here by the names that people edit."""
    return lambda path: exists(path) or _is_staged(path)


def _let_go() -> None:
    """In a forked process: at a breakpoint nobody would be there to let it go on."""
    import pydevd

    pydevd.settrace_forked(setup_tracing=False)
    pydevd.stoptrace()


def _answer(request: Message, *, success: bool = True, **fields: Any) -> Message:
    return {
        "type": "response",
        "request_seq": request["seq"],
        "command": request["command"],
        "success": success,
        **fields,
    }
