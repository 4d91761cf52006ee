"""Plain ipykernels, driven over their own channels."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.contender import Run, Work
from benchmarks.payload import float_array, touch
from benchmarks.plugins import write_echoes
from benchmarks.processes import await_quiet, total_pss

STARTING = 60.0  # seconds
ANSWERING = 60.0
# What comes back from a kernel is text, and so is what is sent to it.
MIRROR = """
import base64 as _b64, numpy as _np
def _mirror(text):
    return _b64.b64encode(_np.frombuffer(_b64.b64decode(text)).tobytes()).decode()
"""


def ask(client: Any, code: str, **options: Any) -> dict[str, Any]:
    """Run code in a kernel and wait for its reply, not for what it prints.

    Raises:
        RuntimeError: the code failed.
        TimeoutError: there was no reply.
    """
    answer = client.execute(code, reply=True, timeout=ANSWERING, **options)
    content: dict[str, Any] = answer["content"]
    if content["status"] != "ok":
        raise RuntimeError("\n".join(content["traceback"]))
    return content


@contextlib.contextmanager
def running(**options: Any) -> Iterator[Any]:
    """A fresh kernel's client, ready to be asked."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(startup_timeout=STARTING, **options)
    try:
        yield client
    finally:
        stop(manager, client)


def stop(manager: Any, client: Any) -> None:
    """End a kernel at once, and its client."""
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@contextlib.contextmanager
def execute_request() -> Iterator[Run]:
    """The least that a kernel can be asked, silently."""
    with running() as client:
        yield partial(ask, client, "None", silent=True)


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    """An array as text in the code and in an expression's value."""
    import base64

    import numpy as np

    sent = float_array(megabytes)
    with running() as client:
        ask(client, MIRROR)

        def call() -> None:
            text = base64.b64encode(sent.tobytes()).decode()
            reply = ask(client, f"_r = _mirror({text!r})", user_expressions={"r": "_r"})
            shown = reply["user_expressions"]["r"]["data"]["text/plain"]
            touch(np.frombuffer(base64.b64decode(shown[1:-1])))

        yield call


@contextlib.contextmanager
def fresh(start: str) -> Iterator[Work]:
    """From nothing to the first reply; each kernel is ended afterwards, which is not timed."""
    begin: Callable[[], tuple[Any, Any]] = {"new": _start_new, "bare": _start_bare}[start]

    def run() -> tuple[Any, Any]:
        manager, client = begin()
        ask(client, "1")
        return manager, client

    yield Work(run, settle=lambda started: stop(*started))


def _start_new() -> tuple[Any, Any]:
    """As everybody does it, with `wait_for_ready`."""
    from jupyter_client.manager import start_new_kernel

    started: tuple[Any, Any] = start_new_kernel(startup_timeout=STARTING)
    return started


def _start_bare(**options: Any) -> tuple[Any, Any]:
    """Without waiting for readiness: the request waits in the kernel's socket."""
    from jupyter_client.manager import KernelManager

    manager = KernelManager()
    manager.start_kernel(**options)
    client = manager.blocking_client()
    client.start_channels()
    return manager, client


@contextlib.contextmanager
def late(statement: str, timeout: float) -> Iterator[Work]:
    """From the moment that an interrupt is sent to the reply that says so."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(startup_timeout=STARTING)

    def run() -> float:
        request = client.execute(statement)
        time.sleep(timeout)  # as long as the call may take
        started = time.perf_counter()
        manager.interrupt_kernel()
        while client.get_shell_msg(timeout=ANSWERING)["parent_header"]["msg_id"] != request:
            pass
        return time.perf_counter() - started

    try:
        ask(client, "import threading, time")
        yield Work(run, settle=lambda result: await_quiet(), is_sample=True)
    finally:
        stop(manager, client)


@contextlib.contextmanager
def further_memory(before: int) -> Iterator[Work]:
    """Bytes for each further kernel, when so many are live already."""
    with contextlib.ExitStack() as stack:
        started = [_start_bare() for _ in range(before)]
        for manager, client in started:
            stack.callback(stop, manager, client)
        for _, client in started:
            ask(client, "1")

        def run() -> int:
            memory = total_pss()
            manager, client = _start_bare()
            stack.callback(stop, manager, client)
            ask(client, "1")
            await_quiet()
            return total_pss() - memory

        yield Work(run, is_sample=True)


@contextlib.contextmanager
def blocked_by(statement: str, plugins: int) -> Iterator[Work]:
    """Seconds that a statement takes in a fresh kernel, whose folder has so many plugins."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name) / "plugins"
        folder.mkdir()
        write_echoes(folder, plugins)
        yield Work(partial(_seconds_in_kernel, statement, name), is_sample=True)


def _seconds_in_kernel(statement: str, folder: str) -> float:
    manager, client = _start_bare(cwd=folder)
    try:
        ask(client, "import time")
        timed = (
            f"_started = time.perf_counter()\n{statement}\n_took = time.perf_counter() - _started"
        )
        reply = ask(client, timed, user_expressions={"took": "_took"})
        return float(reply["user_expressions"]["took"]["data"]["text/plain"])
    finally:
        stop(manager, client)
