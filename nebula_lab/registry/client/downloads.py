"""Brings an archive here: continued where it broke off, and whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
from collections.abc import Callable, Iterator
from hashlib import file_digest
from pathlib import Path
from typing import BinaryIO

import httpx
from msgspec import Struct

from nebula_lab.errors import ArchiveError, RegistryDownError, RegistryError
from nebula_lab.registry.archives.opening import ARCHIVE_LIMIT
from nebula_lab.registry.client.address import RegistryAddress, shown
from nebula_lab.registry.client.cache import RegistryCache, cache_errors
from nebula_lab.registry.client.patience import Patience
from nebula_lab.registry.client.requests import Requests
from nebula_lab.registry.client.retrying import retrying
from nebula_lab.registry.format.documents import Archive
from nebula_lab.registry.format.paths import archive_path
from nebula_lab.trust import locks

__all__ = ["Downloads", "Report"]

# Bytes that have come, bytes that there are.
Report = Callable[[int, int], object]
_RANGE = re.compile(r"bytes ([0-9]{1,15})-[0-9]{1,15}/([0-9]{1,15}|\*)")
_OTHER = "the archive is not the one that the registry promised"
_ASK = "Nothing of it is kept. Ask whoever keeps the registry."


class Downloads:
    """Brings archives of one registry into the cache.

    Args:
        address: the registry.
        requests: asks it.
        cache: gets them.
        patience: how long they may take.
    """

    def __init__(
        self,
        address: RegistryAddress,
        requests: Requests,
        cache: RegistryCache,
        patience: Patience,
    ) -> None:
        self._address = address
        self._requests = requests
        self._cache = cache
        self._patience = patience

    def fetch(self, archive: Archive, report: Report) -> Path:
        """The file of an archive, which had the hash that was promised when this looked at it.

        Args:
            archive: what was promised.
            report: is told how far it has come, on this thread.

        Raises:
            ArchiveError: what comes is something else, or larger than any archive.
            RegistryError: it can't be had, or not be kept.
        """
        if archive.size > ARCHIVE_LIMIT:
            raise ArchiveError(
                f"its archive has {archive.size / 2**20:,.0f} MiB; at most "
                f"{ARCHIVE_LIMIT // 2**20} are taken",
                path=self._address.url,
                hint=_ASK,
            )
        place = self._cache.archive(archive.sha256)
        with contextlib.suppress(OSError):
            if _digest(place) == archive.sha256:
                return place
        with self._file(archive) as partial:
            _Download(archive, self._url(archive), partial, self._requests, self._patience).run(
                report
            )
            with cache_errors(place):
                place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.replace(partial.path, place)  # noqa: PTH105
                partial.etag_file.unlink(missing_ok=True)
        return place

    def _url(self, archive: Archive) -> str:
        return self._address.join(archive.url or archive_path(archive.sha256))

    @contextlib.contextmanager
    def _file(self, archive: Archive) -> Iterator[_Partial]:
        """A file to write to, which nobody else does."""
        path = self._cache.partial(archive.sha256)
        with cache_errors(path), locks.try_exclusive(path) as is_ours:
            if not is_ours:  # another process downloads the same; it may be slow, or stopped
                path = path.with_name(f"{path.name}-{secrets.token_hex(8)}")
            partial = _Partial(path)
            try:
                yield partial
            finally:
                if not is_ours:
                    path.unlink(missing_ok=True)
                    partial.etag_file.unlink(missing_ok=True)


class _Partial(Struct, frozen=True):
    """What has come of an archive so far."""

    path: Path

    @property
    def etag_file(self) -> Path:
        """What the registry calls that of which this is the beginning."""
        return self.path.with_name(f"{self.path.name}.etag")

    @property
    def size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    @property
    def etag(self) -> str:
        """A strong name; "" where none is known."""
        try:
            return self.etag_file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return ""

    def begin(self, etag: str) -> BinaryIO:
        """Empty the file and write it from its beginning."""
        is_strong = etag.isascii() and etag.startswith('"') and len(etag) < 500
        self.etag_file.write_text(etag if is_strong else "", encoding="ascii")
        return self.path.open("wb")

    def forget(self) -> None:
        """Have nothing any more. The file stays, as a lock is held by way of it."""
        with contextlib.suppress(FileNotFoundError):
            os.truncate(self.path, 0)
        self.etag_file.unlink(missing_ok=True)

    def digest(self) -> str:
        return _digest(self.path)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


class _Download:
    """One archive on its way into one file."""

    def __init__(
        self,
        archive: Archive,
        url: str,
        partial: _Partial,
        requests: Requests,
        patience: Patience,
    ) -> None:
        self._archive = archive
        self._url = url
        self._partial = partial
        self._requests = requests
        self._patience = patience

    def run(self, report: Report) -> None:
        """Have the file be the archive."""
        began_before = self._partial.size > 0
        self._complete(report)
        if self._partial.digest() == self._archive.sha256:
            return
        self._partial.forget()
        if began_before:
            # What was there may have been the beginning of something else.
            self._complete(report)
            if self._partial.digest() == self._archive.sha256:
                return
            self._partial.forget()
        raise ArchiveError(f"{_OTHER}: its hash is another", path=shown(self._url), hint=_ASK)

    def _complete(self, report: Report) -> None:
        try:
            retrying(lambda: self._attempt(report), self._patience, self._requests.stopped)
        except RegistryError as error:
            cause = error.__cause__
            if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EDQUOT):
                self._partial.forget()  # so that there is room to mend that
            raise

    def _attempt(self, report: Report) -> None:
        size = self._archive.size
        have = self._partial.size
        if have > size:
            self._partial.forget()
            have = 0
        if have == size:
            return
        with self._requests.open(self._url, self._conditions(have)) as response:
            if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and have:
                self._partial.forget()
                raise RegistryDownError("it has another archive now", path=shown(self._url))
            if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
                raise ArchiveError(
                    f"the registry does not have the archive ({response.status_code})",
                    path=shown(self._url),
                    hint=_ASK,
                )
            self._take(response, have, report)

    def _conditions(self, have: int) -> dict[str, str]:
        if not have:
            return {}
        etag = self._partial.etag
        return {"Range": f"bytes={have}-", **({"If-Range": etag} if etag else {})}

    def _take(self, response: httpx.Response, have: int, report: Report) -> None:
        size, seconds = self._archive.size, self._patience.for_archive(self._archive.size)
        continues = response.status_code == httpx.codes.PARTIAL_CONTENT
        if continues and not self._is_the_rest(response, have):
            self._partial.forget()
            raise RegistryDownError("it gave another part of the archive", path=shown(self._url))
        done = have if continues else 0
        chunks = self._requests.chunks(response, self._url, size - done, seconds)
        with cache_errors(self._partial.path), self._opened(response, continues) as file:
            report(done, size)
            for chunk in chunks:
                file.write(chunk)
                done += len(chunk)
                report(done, size)
        if done < size:
            raise RegistryDownError(
                f"it ended after {done:,} of {size:,} bytes",
                path=shown(self._url),
                hint="Try again: it goes on from there.",
            )

    def _opened(self, response: httpx.Response, continues: bool) -> BinaryIO:
        if continues:
            return self._partial.path.open("ab")
        return self._partial.begin(response.headers.get("ETag", ""))

    def _is_the_rest(self, response: httpx.Response, have: int) -> bool:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if found is None or int(found[1]) != have:
            return False
        return found[2] == "*" or int(found[2]) == self._archive.size
