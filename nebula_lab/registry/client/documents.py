"""Documents of a registry: asked for anew, or as they were last if it does not answer."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import httpx
from msgspec import Struct
from msgspec.structs import replace

from nebula_lab.errors import RegistryAnswerError, RegistryDownError, RegistryError
from nebula_lab.registry.client.address import shown
from nebula_lab.registry.client.cache import Kept, RegistryCache
from nebula_lab.registry.client.patience import Patience
from nebula_lab.registry.client.requests import Requests
from nebula_lab.registry.client.retrying import retrying

__all__ = ["Documents", "OpenDocuments"]

Value = TypeVar("Value")
_GONE = frozenset({404, 410})


class _Known(Struct, Generic[Value], frozen=True):
    """A document that is kept, and what it says."""

    kept: Kept
    value: Value


class Documents(Protocol):
    """Where the documents of a registry come from."""

    @property
    def problem(self) -> RegistryError | None:
        """Why the registry could not be asked, where what is kept stands for it; else None."""
        ...

    @property
    def since(self) -> datetime | None:
        """When the registry said what stands for it now; None where it was asked."""
        ...

    def known(self, path: str, digest: str, parse: Callable[[bytes], Value]) -> Value | None:
        """What a document says, if the one that is kept has that hash; nobody is asked."""
        ...

    def read(self, path: str, most: int, parse: Callable[[bytes], Value]) -> Value | None:
        """What a document says.

        Args:
            path: relative to the registry.
            most: bytes that it may have.
            parse: makes a value of its content, or raises a RegistryError.

        Returns:
            The value; None where the registry has no such document.

        Raises:
            RegistryError: it can't be had.
        """
        ...


class OpenDocuments:
    """The documents of a registry that is not signed.

    Only what can be read is kept, so that a page of a proxy never stands for a document. A
    registry that does not answer is asked once, however many documents are wanted of it.

    Args:
        requests: asks.
        cache: keeps.
        url: gives the address of a path.
        patience: how long is asked.
    """

    def __init__(
        self,
        requests: Requests,
        cache: RegistryCache,
        url: Callable[[str], str],
        patience: Patience,
    ) -> None:
        self.problem: RegistryError | None = None
        self._oldest: Kept | None = None
        self._requests = requests
        self._cache = cache
        self._url = url
        self._patience = patience

    @property
    def since(self) -> datetime | None:
        return None if self._oldest is None else self._oldest.when

    def read(self, path: str, most: int, parse: Callable[[bytes], Value]) -> Value | None:
        known = self._known(path, parse)
        if self.problem is None:
            try:
                return retrying(
                    lambda: self._ask(path, most, parse, known),
                    self._patience,
                    self._requests.stopped,
                )
            except RegistryDownError as error:
                if known is None:
                    raise
                self.problem = error
        if known is None:
            raise self.problem
        self._note_use(known.kept)
        return known.value

    def known(self, path: str, digest: str, parse: Callable[[bytes], Value]) -> Value | None:
        known = self._known(path, parse)
        return known.value if known is not None and known.kept.sha256 == digest else None

    def fetch(self, path: str, most: int) -> bytes | None:
        """The content of a file as the registry has it now; None where it has none.

        Raises:
            RegistryError: it can't be asked.
        """
        return retrying(lambda: self._content(path, most), self._patience, self._requests.stopped)

    def _content(self, path: str, most: int) -> bytes | None:
        url = self._url(path)
        with self._requests.open(url, {"Cache-Control": "no-cache"}) as response:
            return None if response.status_code in _GONE else self._body(response, url, most)

    def _ask(
        self,
        path: str,
        most: int,
        parse: Callable[[bytes], Value],
        known: _Known[Value] | None,
    ) -> Value | None:
        url = self._url(path)
        with self._requests.open(url, _conditions(known)) as response:
            if response.status_code in _GONE:
                self._cache.forget(path)
                return None
            if response.status_code == httpx.codes.NOT_MODIFIED and known is not None:
                self._cache.keep(path, replace(known.kept, at=time.time()))
                return known.value
            content = self._body(response, url, most)
            value = parse(content)
            self._cache.keep(path, _kept(content, response))
            return value

    def _body(self, response: httpx.Response, url: str, most: int) -> bytes:
        if response.status_code != httpx.codes.OK:
            raise RegistryAnswerError(
                f"it answers {response.status_code} to a plain question",
                path=shown(url),
                hint="Ask whoever keeps the registry.",
            )
        chunks = self._requests.chunks(response, url, most, self._patience.document)
        return b"".join(chunks)

    def _known(self, path: str, parse: Callable[[bytes], Value]) -> _Known[Value] | None:
        """What is kept, if this version of ours can read it."""
        kept = self._cache.document(path)
        try:
            return None if kept is None else _Known(kept, parse(kept.content))
        except RegistryError:
            return None

    def _note_use(self, kept: Kept) -> None:
        if self._oldest is None or kept.at < self._oldest.at:
            self._oldest = kept


def _conditions(known: _Known[Value] | None) -> dict[str, str]:
    if known is None:
        return {}
    kept = known.kept
    if kept.etag:
        return {"If-None-Match": kept.etag}
    return {"If-Modified-Since": kept.modified} if kept.modified else {}


def _kept(content: bytes, response: httpx.Response) -> Kept:
    headers = response.headers
    etag, modified = headers.get("ETag", "")[:500], headers.get("Last-Modified", "")[:100]
    return Kept(content, time.time(), _sendable(etag), _sendable(modified))


def _sendable(text: str) -> str:
    """What a header can carry back; "" for anything else, so that the whole is asked for."""
    return text if text.isascii() and text.isprintable() else ""
