"""SOCKS5 without authentication, of which CONNECT alone; see RFC 1928."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable

from nebula_lab.sandbox.proxy.allowed_hosts import Destination, checked_port, normalized
from nebula_lab.sandbox.proxy.asked import Asked, Reason, RefusedError

__all__ = ["VERSION", "answer_to_refused", "read_request"]

VERSION = b"\x05"
_NO_AUTHENTICATION = 0
_NO_METHOD_SUITS = b"\xff"
_CONNECT = 1


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Asked:
    """Greet a client, whose first byte has been read, and read what it asks for.

    Raises:
        RefusedError: it asks for something that this proxy does not do.
        EOFError: the client left.
    """
    (count,) = await reader.readexactly(1)
    methods = await reader.readexactly(count)
    if _NO_AUTHENTICATION not in methods:
        writer.write(VERSION + _NO_METHOD_SUITS)
        raise EOFError
    writer.write(VERSION + bytes([_NO_AUTHENTICATION]))
    version, command, _, kind = await reader.readexactly(4)
    if bytes([version]) != VERSION or kind not in _HOSTS:
        raise RefusedError(Reason.NOT_UNDERSTOOD, "This is no request of SOCKS5.")
    if command != _CONNECT:
        raise RefusedError(Reason.NOT_OFFERED, "This proxy connects and does nothing else.")
    host = await _HOSTS[kind](reader)
    port = int.from_bytes(await reader.readexactly(2))
    try:
        return Asked(Destination(normalized(host), checked_port(port)), welcome=_answer(0))
    except ValueError as error:
        raise RefusedError(Reason.NOT_UNDERSTOOD, f"{error}.") from None


def answer_to_refused(error: RefusedError) -> bytes:
    """The answer to a client that does not get what it asked for; SOCKS has no room for words."""
    return _answer(error.reason.socks)


def _answer(code: int) -> bytes:
    # The address that we connected from follows, which nobody needs: 0.0.0.0:0.
    return VERSION + bytes([code, 0, 1, 0, 0, 0, 0, 0, 0])


async def _ipv4(reader: asyncio.StreamReader) -> str:
    return str(ipaddress.IPv4Address(await reader.readexactly(4)))


async def _ipv6(reader: asyncio.StreamReader) -> str:
    return str(ipaddress.IPv6Address(await reader.readexactly(16)))


async def _name(reader: asyncio.StreamReader) -> str:
    (length,) = await reader.readexactly(1)
    return (await reader.readexactly(length)).decode("ascii", "replace")


_HOSTS: dict[int, Callable[[asyncio.StreamReader], Awaitable[str]]] = {
    1: _ipv4,
    3: _name,
    4: _ipv6,
}
