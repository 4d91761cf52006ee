"""Runs one call at a time on the thread that reads the channel: the shortest way there is."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.cells import ConsoleCell
from nebula_lab.agent.job import Job
from nebula_lab.agent.server import ORDINARY, Server
from nebula_lab.plugin.plain import to_plain
from nebula_lab.wire.messages import Call, Load, Shutdown

if TYPE_CHECKING:
    from asyncio import Runner


def serve(server: Server) -> bool:
    """Serve until the manager says goodbye.

    Returns:
        True when the plugin that was loaded runs several calls at once and wants
        `nebula_lab.agent.concurrent` to go on from here; False when there is nothing more to do.

    Raises:
        ChannelEndedError: the manager is gone.
    """
    with contextlib.ExitStack() as at_end:
        return _serve(server, at_end)


def _serve(server: Server, at_end: contextlib.ExitStack) -> bool:
    cells: Runner | None = None  # made when the first cell comes
    while True:
        message = server.next_message()
        kind = type(message)
        if kind is Call:
            _answer_call(server, message)
        elif kind is Load:
            server.load(message)
            if server.resident is not None and server.resident.concurrency > 1:
                return True
        elif kind is Shutdown:
            return False
        elif kind is ConsoleCell:
            if cells is None:
                from asyncio import Runner

                cells = at_end.enter_context(Runner())
            cells.run(message.run(), context=message.context)


def _answer_call(server: Server, call: Call) -> None:
    job = server.job_of(call)
    server.finish(job, server.outcome(job, partial(_performed, server, job, call)))


def _performed(server: Server, job: Job, call: Call) -> Any:
    result = server.perform(call)
    if type(result) in ORDINARY:
        return result
    if hasattr(result, "__await__"):
        result = _awaited(server, result)
    return server.drive(job, to_plain(result))


def _awaited(server: Server, result: Any) -> Any:
    """A resource that is not a `Plugin` may give a coroutine without having said so."""

    async def wait() -> Any:
        return await result

    import asyncio

    assert server.resident is not None
    return server.resident.plain(asyncio.run(wait()))
