"""How files of a registry come here, as far as what checks them needs to know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface

__all__ = ["Transport", "TransportFetcher", "METADATA", "LARGEST"]

# Whoever signs can sign at most this much, and whoever does not can have us read no more than it.
LARGEST = 16 * 2**20
METADATA = "metadata/"
_NOT_THERE = 404


class Transport(Protocol):
    """Brings files of one registry."""

    def __call__(self, path: str, most: int) -> bytes | None:
        """The content of a file, asked for anew.

        Args:
            path: relative to the registry.
            most: bytes; a longer answer is cut off with an error.

        Returns:
            The content; None where the registry says that there is no such file.

        Raises:
            RegistryError: the registry can't be asked.
        """
        ...


class TransportFetcher(FetcherInterface):
    """Brings TUF what it asks for by our own way: with our limits, and our rules for secrets.

    Args:
        transport: brings the files; the addresses that it is asked for are relative already.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _fetch(self, url: str) -> Iterator[bytes]:
        content = self._transport(url, LARGEST)
        if content is None:
            raise DownloadHTTPError(f"{url} is not there", _NOT_THERE)
        return iter([content])
