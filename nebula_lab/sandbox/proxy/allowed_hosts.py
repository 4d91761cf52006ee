"""Which hosts and ports a plugin may reach: its list, and how what it asks for is held against it.

A name is compared as DNS sees it: without case, without a final dot, in ASCII. An address is
compared as the number that it is, and only with addresses.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["AllowedHosts", "Destination", "checked_port", "normalized", "parse_authority"]

_AUTHORITY = re.compile(
    r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[^\s/:@\[\]]+))(?::(?P<port>[0-9]{1,5}))?"
)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
# `2130706433`, `0x7f.1` and `127.1` are addresses to a resolver, though not to us.
_NUMBER_AT_THE_END = re.compile(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)")
_ANY_BELOW = "*."


class Destination(NamedTuple):
    """Where a plugin wants to go: a name in lower case or an address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_authority(text: str, default_port: int | None = None) -> Destination:
    """Read `host:port`, an IPv6 address in brackets.

    Raises:
        ValueError: it is no host with a port, or with none where there is no default.
    """
    host, port = _split(text)
    if port is None:
        port = default_port
    if port is None:
        raise ValueError(f"{text[:100]!r} has no port")
    return Destination(normalized(host), port)


def normalized(host: str) -> str:
    """A name or an address in the one form in which it is compared.

    Raises:
        ValueError: it is neither.
    """
    with contextlib.suppress(ValueError):
        return str(ipaddress.ip_address(host))
    with contextlib.suppress(UnicodeError):
        name = host.removesuffix(".").encode("idna").decode().lower()
        if _is_name(name):
            return name
    raise ValueError(f"{host[:100]!r} is neither a host's name nor an address")


def checked_port(port: int) -> int:
    """A port that one can connect to.

    Raises:
        ValueError: it is none.
    """
    if 0 < port < 2**16:
        return port
    raise ValueError(f"there is no port {port}")


def _is_name(host: str) -> bool:
    return bool(_NAME.fullmatch(host)) and not _NUMBER_AT_THE_END.fullmatch(host)


class AllowedHosts:
    """A list of hosts.

    Args:
        entries: names and addresses, each with a port if only one is meant. `*.example.org` is
            every name below `example.org`, but not that name itself.

    Raises:
        ValueError: an entry is none of these.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self._exact: set[tuple[str, int | None]] = set()
        self._below: set[tuple[str, int | None]] = set()
        for entry in entries:
            host, port = _split(entry)
            if host.startswith(_ANY_BELOW):
                self._below.add((normalized(host.removeprefix(_ANY_BELOW)), port))
            else:
                self._exact.add((normalized(host), port))

    def allows(self, destination: Destination) -> bool:
        """Whether one may go there."""
        host, port = destination
        if _holds(self._exact, host, port):
            return True
        if not _is_name(host):
            return False  # an address has nothing above it
        labels = host.split(".")
        return any(
            _holds(self._below, ".".join(labels[first:]), port) for first in range(1, len(labels))
        )


def _holds(listed: set[tuple[str, int | None]], host: str, port: int) -> bool:
    return (host, port) in listed or (host, None) in listed


def _split(text: str) -> tuple[str, int | None]:
    match = _AUTHORITY.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:100]!r} is not a host with or without a port")
    host = match["v6"] or match["name"]
    if match["port"] is None:
        return host, None
    return host, checked_port(int(match["port"]))
