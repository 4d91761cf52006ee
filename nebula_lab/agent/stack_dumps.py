"""Writes down the stacks of all threads of a host, for a manager that stops a call.

A host that takes an interrupt writes them first. One that does not is sent another signal, whose
handler is C, in whichever thread it comes to: no lock of Python's is needed, so it works while C
code holds that, in a call that never returns, and with signals blocked in every thread but one.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from itertools import islice
from types import FrameType
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.steps import OUR_FRAME
from nebula_lab.confine import signals

if TYPE_CHECKING:
    import asyncio

_MOST = 32 * 1024  # bytes, so that the threads find room
_MOST_TASKS = 100


def write_now(descriptor: int) -> None:
    """Write the stacks, also of tasks of this thread that wait, which are on no thread's stack.

    Nothing of Python's moves meanwhile, since this thread has its lock.
    """
    # Whatever a plugin has made of its tasks: nothing may come up in what is interrupted.
    with contextlib.suppress(Exception):
        os.write(descriptor, _waiting_tasks().encode("ascii", "backslashreplace")[:_MOST])
    with contextlib.suppress(OSError):
        faulthandler.dump_traceback(descriptor, all_threads=True)


def write_upon_signal(descriptor: int) -> None:
    """Write the stacks to a descriptor, which is nobody else's from now on, at each signal."""
    os.set_inheritable(descriptor, False)
    faulthandler.register(signals.STACKS, file=descriptor, all_threads=True, chain=False)
    # An interrupt that comes while the stacks are written ends no wait: this has to.
    signal.siginterrupt(signals.STACKS, True)


def _waiting_tasks() -> str:
    """Tasks of the loop that runs on this thread, as faulthandler writes threads."""
    if "asyncio" not in sys.modules:
        return ""
    import asyncio

    try:
        waiting = asyncio.all_tasks() - {asyncio.current_task()}
    except RuntimeError:  # there is no loop
        return ""
    return "".join(map(_as_thread, islice(waiting, _MOST_TASKS)))


def _as_thread(task: asyncio.Task[Any]) -> str:
    frames = list(_frames(task.get_coro()))
    lines = [
        f'  File "{frame.f_code.co_filename}", line {frame.f_lineno} in {frame.f_code.co_name}'
        for frame in reversed(frames)
    ]
    heading = f"Thread {id(task):#018x} [{task.get_name()}] (most recent call first):"
    return "\n".join((heading, *lines, ""))


def _frames(coroutine: Any) -> Iterator[FrameType]:
    """From the outermost frame inwards, as far as can be seen from outside."""
    while (frame := _either(coroutine, "cr_frame", "gi_frame", "ag_frame")) is not None:
        yield frame
        if frame.f_code is OUR_FRAME:
            coroutine = frame.f_locals["self"].coroutine
        else:
            coroutine = _either(coroutine, "cr_await", "gi_yieldfrom", "ag_await")


def _either(coroutine: Any, *names: str) -> Any:
    found = (getattr(coroutine, name, None) for name in names)
    return next((one for one in found if one is not None), None)
