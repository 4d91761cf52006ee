"""One connection of a plugin to its proxy, from the first byte to the last."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nebula_lab.sandbox.proxy import http_requests, socks
from nebula_lab.sandbox.proxy.allowed_hosts import AllowedHosts, Destination
from nebula_lab.sandbox.proxy.asked import Asked, Reason, RefusedError
from nebula_lab.sandbox.proxy.names import looked_up
from nebula_lab.sandbox.proxy.relay import Stream, exchange, tunnel

__all__ = ["ProxyLimits", "serve"]

# A client that is told off may still be sending; if we closed at once, it would see a reset
# connection and not the reason.
_LINGER_SECONDS = 2.0
_LINGER_BYTES = 2**20
# Of a host with several addresses the next one is tried before the first has failed: RFC 8305.
_NEXT_ADDRESS_SECONDS = 0.25


@dataclass(frozen=True)
class ProxyLimits:
    """How much a plugin may ask of its proxy; the longest head is `LONGEST_HEAD`.

    Attributes:
        connections: how many are served at a time; further ones wait.
        head: seconds in which a client has to say where it wants to go.
        connect: seconds for finding and reaching that.
        idle: seconds without a byte either way.
        total: seconds that a connection lasts at most.
    """

    connections: int = 64
    head: float = 10.0
    connect: float = 10.0
    idle: float = 300.0
    total: float = 3600.0


@dataclass(frozen=True)
class _Service:
    client: Stream
    allowed: AllowedHosts
    on_refused: Callable[[Destination], None]
    limits: ProxyLimits


async def serve(
    client: Stream,
    allowed: AllowedHosts,
    on_refused: Callable[[Destination], None],
    limits: ProxyLimits,
) -> None:
    """Serve a client until it, or where it wanted to go, ends; then nothing of it is open."""
    try:
        async with asyncio.timeout(limits.total):
            await _serve(_Service(client, allowed, on_refused, limits))
    except* (OSError, EOFError):
        pass  # one side is gone or took too long, which the other learns by the end
    finally:
        client.abort()


async def _serve(service: _Service) -> None:
    client, limits = service.client, service.limits
    answer_to_refused = http_requests.answer_to_refused
    try:
        async with _in_time(limits.head, Reason.TOO_SLOW, "The request took too long to come."):
            first = await client.reader.readexactly(1)
            if first == socks.VERSION:
                answer_to_refused = socks.answer_to_refused
                asked = await socks.read_request(*client)
            else:
                asked = await http_requests.read_request(client.reader, first)
        server = await _reach(asked.destination, service)
    except RefusedError as error:
        await _say_last(client, answer_to_refused(error))
        return
    try:
        await _serve_with(server, asked, service)
    finally:
        server.abort()


async def _serve_with(server: Stream, asked: Asked, service: _Service) -> None:
    client, idle = service.client, service.limits.idle
    client.writer.write(asked.welcome)
    server.writer.write(asked.opening)
    if asked.body is None:
        await tunnel(client, server, idle)
    else:
        await exchange(client, server, asked.body, idle)
    async with asyncio.timeout(idle):
        await server.finish()
        await client.finish()


async def _reach(destination: Destination, service: _Service) -> Stream:
    if not service.allowed.allows(destination):
        service.on_refused(destination)
        raise RefusedError(
            Reason.NOT_ALLOWED, f"{destination} is not among the allowed_hosts of this plugin."
        )
    seconds = service.limits.connect
    late = f"{destination} did not answer within {seconds:g} seconds."
    try:
        async with _in_time(seconds, Reason.NO_ANSWER, late):
            addresses = await looked_up(destination)
            if not addresses:
                service.on_refused(destination)
                raise RefusedError(
                    Reason.NOT_ALLOWED,
                    f"{destination} has an address of this machine itself, which a name does not "
                    "stand for; list that address.",
                )
            return await _connect(addresses, destination.port)
    except OSError as error:
        why = str(error.strerror or error)[:200]
        raise RefusedError(Reason.UNREACHABLE, f"{destination} can't be reached: {why}.") from None


async def _connect(addresses: Sequence[str], port: int) -> Stream:
    """A connection to the first of the addresses that takes one.

    Raises:
        OSError: none does; what the last one said.
    """
    *others, last = addresses
    for address in others:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_NEXT_ADDRESS_SECONDS):
                return Stream(*await asyncio.open_connection(address, port))
    return Stream(*await asyncio.open_connection(last, port))


@asynccontextmanager
async def _in_time(seconds: float, reason: Reason, sentence: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise RefusedError(reason, sentence) from None


async def _say_last(client: Stream, answer: bytes) -> None:
    client.writer.write(answer)
    client.writer.write_eof()
    async with asyncio.timeout(_LINGER_SECONDS):
        left = _LINGER_BYTES
        while left > 0 and (data := await client.reader.read(left)):
            left -= len(data)
        await client.finish()
