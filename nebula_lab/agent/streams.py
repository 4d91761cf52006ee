"""Sends what a call prints, logs and warns to the cell that made the call."""

from __future__ import annotations

import contextvars
import io
import logging
import sys
import threading
from collections.abc import Iterable
from typing import Any

from nebula_lab.agent.job import current_job
from nebula_lab.agent.server import Server
from nebula_lab.wire.messages import Log


class JobStream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of a host: a call's own while one runs, else the kernel's.

    Args:
        name: `stdout` or `stderr`.
        kernel_stream: where text goes that no call wrote, such as a console's cells.
        server: sends what calls write.
    """

    encoding = "utf-8"
    errors = "backslashreplace"
    newlines = None

    def __init__(self, name: str, kernel_stream: Any, server: Server) -> None:
        self.name = f"<{name}>"
        self._stream = name
        self._kernel_stream = kernel_stream
        self._server = server

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        job = current_job.get()
        if job is None:
            self._kernel_stream.write(text)
            return len(text)
        for message in job.printed(self._stream, text):
            self._server.send(message)
        return len(text)

    def writelines(self, lines: Iterable[Any]) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        job = current_job.get()
        if job is None:
            self._kernel_stream.flush()
            return
        for message in job.flushed():
            self._server.send(message)

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        # The pipe to the manager, so that a child process and a C library write there.
        return 1 if self._stream == "stdout" else 2

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kernel_stream, name)


class JobLogHandler(logging.Handler):
    """Sends log records to the manager, ahead of the answer of the call that wrote them."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = self.format(record)
            job = current_job.get()
            for message in job.flushed() if job is not None else ():
                self._server.send(message)
            label = job.label if job is not None else 0
            self._server.send(Log(label, record.levelno, record.name, text))
        except ConnectionError:
            pass  # the manager is gone, and so is this process soon
        except Exception:  # noqa: BLE001 - as every logging handler does
            self.handleError(record)


def redirect(server: Server) -> None:
    """Let calls own the output of this process from now on."""
    sys.stdout = JobStream("stdout", sys.stdout, server)
    sys.stderr = JobStream("stderr", sys.stderr, server)
    handler = JobLogHandler(server)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logging.getLogger().addHandler(handler)
    _let_threads_inherit_the_call()


def _let_threads_inherit_the_call() -> None:
    """Run each new thread in a copy of the context that started it, as Python 3.14 can do."""
    start = threading.Thread.start

    def start_in_context(thread: threading.Thread) -> None:
        context = contextvars.copy_context()
        run = thread.run
        thread.run = lambda: context.run(run)  # type: ignore[method-assign]
        start(thread)

    threading.Thread.start = start_in_context  # type: ignore[method-assign, assignment]
