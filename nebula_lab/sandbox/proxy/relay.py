"""Passes bytes between two connections, no faster than each side takes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

__all__ = ["Stream", "exchange", "tunnel"]

_CHUNK = 64 * 1024


class Stream(NamedTuple):
    """Both directions of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def finish(self) -> None:
        """Send what is left to send, and close."""
        self.writer.close()
        await self.writer.wait_closed()

    def abort(self) -> None:
        """Close now, whatever is left to send."""
        self.writer.transport.abort()


class _Activity:
    """Puts off the end of a time-out whenever something moves."""

    def __init__(self, clock: asyncio.Timeout, idle: float) -> None:
        self._clock = clock
        self._idle = idle

    def seen(self) -> None:
        if not self._clock.expired():
            self._clock.reschedule(asyncio.get_running_loop().time() + self._idle)


async def tunnel(client: Stream, server: Stream, idle: float) -> None:
    """Pass on what each side sends until both have ended.

    Args:
        idle: seconds without a byte either way after which both are given up.

    Raises:
        TimeoutError: they were idle.
        ExceptionGroup: of OSError: one side broke.
    """
    async with asyncio.timeout(idle) as clock, asyncio.TaskGroup() as group:
        activity = _Activity(clock, idle)
        group.create_task(_pass_on(client, server, activity))
        group.create_task(_pass_on(server, client, activity))


async def exchange(client: Stream, server: Stream, body: AsyncIterator[bytes], idle: float) -> None:
    """Send a body, and pass on the answer until it ends.

    Args:
        idle: as in `tunnel`.

    Raises:
        TimeoutError: they were idle.
        ExceptionGroup: of OSError: one side broke; of EOFError: the body did.
    """
    async with asyncio.timeout(idle) as clock, asyncio.TaskGroup() as group:
        activity = _Activity(clock, idle)
        sending = group.create_task(_send(body, server, activity))
        await _pass_on(server, client, activity)
        # A server may answer before it has heard all, and then wants no more.
        sending.cancel()


async def _pass_on(source: Stream, sink: Stream, activity: _Activity) -> None:
    while data := await source.reader.read(_CHUNK):
        activity.seen()
        sink.writer.write(data)
        await sink.writer.drain()
        activity.seen()
    sink.writer.write_eof()


async def _send(body: AsyncIterator[bytes], sink: Stream, activity: _Activity) -> None:
    async for data in body:
        activity.seen()
        sink.writer.write(data)
        await sink.writer.drain()
        activity.seen()
