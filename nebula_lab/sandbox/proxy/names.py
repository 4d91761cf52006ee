"""From the name of a host to its addresses, without those that no name of a host stands for."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket

from nebula_lab.sandbox.proxy.allowed_hosts import Destination

__all__ = ["looked_up"]

_OURSELVES = "localhost"


async def looked_up(destination: Destination) -> list[str]:
    """The addresses of a host, in the resolver's order.

    Whoever answers for a name could have it lead to the services of this machine, which trust whom
    they can reach. So a name has no loopback, link-local or unspecified address, except
    `localhost`, which means nothing else. Addresses are what they are.

    Raises:
        OSError: the name is not known.
    """
    host, port = destination
    with contextlib.suppress(ValueError):
        return [str(ipaddress.ip_address(host))]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if host == _OURSELVES or host.endswith(f".{_OURSELVES}"):
        return addresses
    return [address for address in addresses if not _is_ours(address)]


def _is_ours(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    address = address if mapped is None else mapped
    return address.is_loopback or address.is_link_local or address.is_unspecified
