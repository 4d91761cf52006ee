"""HTTP as a proxy hears it: CONNECT, and requests with a whole URL; see RFC 9110 and 9112.

Of a request with a URL the proxy makes one of its own: the host is the URL's, whatever the header
says, and nothing that follows the body is sent on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from http import HTTPStatus

import h11

from nebula_lab.sandbox.proxy.allowed_hosts import Destination, parse_authority
from nebula_lab.sandbox.proxy.asked import Asked, Reason, RefusedError

__all__ = ["LONGEST_HEAD", "answer_to_refused", "read_request"]

LONGEST_HEAD = 16 * 1024
# Small, because what has come is looked at before it is measured.
_CHUNK = 4096
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_URL = re.compile(r"http://(?P<authority>[^/?#]+)(?P<rest>[^#]*)", re.IGNORECASE)
# These are between the client and us; Host is ours to set.
_NOT_PASSED_ON = frozenset(
    b"connection host keep-alive proxy-authenticate proxy-authorization proxy-connection te "
    b"trailer upgrade".split()
)
_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})


async def read_request(reader: asyncio.StreamReader, first: bytes) -> Asked:
    """Read a request's head.

    Args:
        first: what has been read of it already.

    Raises:
        RefusedError: it is none, or one that this proxy does not serve.
        EOFError: the client left.
    """
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
    connection.receive_data(first)
    try:
        request = await _next_event(connection, reader)
        if not isinstance(request, h11.Request):
            raise EOFError
        if request.method == b"CONNECT":
            return await _tunnel(request, connection, reader)
    except h11.RemoteProtocolError as error:
        raise _misunderstood(error) from None
    return _exchange(request, connection, reader)


def answer_to_refused(error: RefusedError) -> bytes:
    """The answer to a client that does not get what it asked for."""
    status = HTTPStatus(error.reason.http)
    body = f"{error.sentence}\n".encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\n"
        f"Content-Type: text/plain; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body


async def _tunnel(
    request: h11.Request, connection: h11.Connection, reader: asyncio.StreamReader
) -> Asked:
    if any(name in _LENGTHS for name, _ in request.headers):
        raise RefusedError(Reason.NOT_UNDERSTOOD, "CONNECT has no body.")
    destination = _destination(request.target.decode("ascii"))
    while await _next_event(connection, reader) is not h11.PAUSED:
        pass
    early, _ = connection.trailing_data
    return Asked(destination, welcome=_ESTABLISHED, opening=early)


def _exchange(
    request: h11.Request, connection: h11.Connection, reader: asyncio.StreamReader
) -> Asked:
    match = _URL.fullmatch(request.target.decode("ascii"))
    if match is None:
        raise RefusedError(
            Reason.NOT_UNDERSTOOD,
            "This is a proxy: it takes CONNECT host:port and requests for http://host/path.",
        )
    if request.http_version != b"1.1":
        raise RefusedError(Reason.NOT_OFFERED, "This proxy passes on requests of HTTP/1.1 only.")
    # Two lengths of one body: we and the next server could each believe another one.
    if all(any(name == length for name, _ in request.headers) for length in _LENGTHS):
        raise RefusedError(Reason.NOT_UNDERSTOOD, "A body has one length, this has two.")
    destination = _destination(match["authority"], default_port=80)
    path = match["rest"] or ("*" if request.method == b"OPTIONS" else "/")
    onward = h11.Connection(h11.CLIENT)
    opening = onward.send(
        h11.Request(
            method=request.method,
            target=path if path[0] in "/*" else f"/{path}",
            headers=[
                (b"Host", match["authority"].encode()),
                *_passed_on(request),
                (b"Connection", b"close"),
            ],
        )
    )
    assert opening is not None
    return Asked(destination, opening=opening, body=_body(connection, onward, reader))


def _passed_on(request: h11.Request) -> list[tuple[bytes, bytes]]:
    named = {
        option.strip().lower()
        for name, value in request.headers
        if name == b"connection"
        for option in value.split(b",")
    }
    # Who could name these, could have the next server see another body than we do.
    dropped = _NOT_PASSED_ON | (named - _LENGTHS)
    return [(name, value) for name, value in request.headers if name not in dropped]


async def _body(
    connection: h11.Connection, onward: h11.Connection, reader: asyncio.StreamReader
) -> AsyncIterator[bytes]:
    """The body, framed anew, piece by piece."""
    while True:
        try:
            event = await _next_event(connection, reader)
        except h11.RemoteProtocolError as error:
            raise EOFError(str(error)) from None
        if isinstance(event, h11.Data):
            yield onward.send(event) or b""
        elif isinstance(event, h11.EndOfMessage):
            yield onward.send(h11.EndOfMessage()) or b""
            return
        else:
            raise EOFError


async def _next_event(connection: h11.Connection, reader: asyncio.StreamReader) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_CHUNK))
    return event


def _destination(authority: str, default_port: int | None = None) -> Destination:
    try:
        return parse_authority(authority, default_port)
    except ValueError as error:
        raise RefusedError(Reason.NOT_UNDERSTOOD, f"{error}.") from None


def _misunderstood(error: h11.RemoteProtocolError) -> RefusedError:
    if error.error_status_hint == Reason.TOO_LARGE.http:
        return RefusedError(
            Reason.TOO_LARGE, f"A request's head may have {LONGEST_HEAD} bytes, this has more."
        )
    return RefusedError(Reason.NOT_UNDERSTOOD, f"This is no request of HTTP: {error}.")
