"""What a client asks of the proxy, and what it is told when that is not to be had."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum

from nebula_lab.sandbox.proxy.allowed_hosts import Destination

__all__ = ["Asked", "Reason", "RefusedError"]


class Reason(Enum):
    """Why a client does not get what it asked for: the answer in HTTP and that in SOCKS5."""

    NOT_UNDERSTOOD = 400, 1
    NOT_ALLOWED = 403, 2
    TOO_SLOW = 408, 1
    TOO_LARGE = 431, 1
    NOT_OFFERED = 501, 7
    UNREACHABLE = 502, 4
    NO_ANSWER = 504, 4

    @property
    def http(self) -> int:
        return self.value[0]

    @property
    def socks(self) -> int:
        return self.value[1]


class RefusedError(Exception):
    """The client gets an answer of the proxy's own, and the connection ends.

    It never leaves the proxy: it is how a connection's own steps say that there is no next one.
    """

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes:
        destination: where to.
        welcome: what the client is told once that is reached.
        opening: what is sent there first.
        body: the rest of what is sent there, after which the answer ends the connection; None when
            both sides may send what they like.
    """

    destination: Destination
    welcome: bytes = b""
    opening: bytes = b""
    body: AsyncIterator[bytes] | None = None
