"""From an uploaded archive to a version that is offered."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

import anyio
import msgspec
from anyio import to_thread
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from nebula_lab.errors import PublishingError
from nebula_lab.registry.archives.opening import ARCHIVE_LIMIT
from nebula_lab.registry.format.coding import read_plugin
from nebula_lab.registry.format.documents import PluginName
from nebula_lab.registry.format.paths import plugin_path
from nebula_lab.registry.publishing.changes import Change
from nebula_lab.registry.publishing.offering import Conflict, add_version, require_new
from nebula_lab.registry.server.access import Access
from nebula_lab.registry.server.answers import Refusal
from nebula_lab.registry.server.examination import Examined, Examiner
from nebula_lab.registry.server.keeping import Keeper, Kept
from nebula_lab.registry.server.pace import Pace
from nebula_lab.registry.server.receiving import received

__all__ = ["Uploads", "refused_offer"]

_logger = logging.getLogger("nebula_lab.registry")
# Each has a file on the disk while it comes.
_COMING = 16
# Each may hold an archive in memory while it is looked at; the others wait for their turn.
_LOOKED_AT = 4


class _Wanted(Struct, frozen=True):
    """What somebody is about to upload."""

    id: PluginName
    version: Annotated[str, Meta(max_length=256)]
    sha256: str | None = None


class Uploads:
    """Takes uploads.

    Args:
        keeper: changes the registry.
        access: knows who may.
        pace: how fast they have to come.
    """

    def __init__(self, keeper: Keeper, access: Access, pace: Pace) -> None:
        self._keeper = keeper
        self._access = access
        self._pace = pace
        self._examiner = Examiner()
        self._places = anyio.Semaphore(_COMING)
        self._turns = anyio.Semaphore(_LOOKED_AT)

    async def ask(self, request: Request) -> Response:
        """Whether an upload would be taken, before anybody sends it: of `id`, `version`, `sha256`.

        Raises:
            Refusal: it would not.
        """
        token = self._access.require_keeper(request)
        wanted = _wanted(request)
        self._access.require_keeper_of(token, wanted.id)
        await to_thread.run_sync(self._check, wanted)
        headers = {"cache-control": "no-store"}
        return JSONResponse({"most_bytes": ARCHIVE_LIMIT}, headers=headers)

    async def answer(self, request: Request) -> Response:
        """Take the archive in a request's body.

        Raises:
            Refusal: it is not taken.
        """
        token = self._access.require_keeper(request)
        try:
            self._places.acquire_nowait()
        except anyio.WouldBlock:
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "busy",
                f"{_COMING} uploads are under way",
                "Try again in a moment.",
                headers={"retry-after": "5"},
            ) from None
        try:
            source = request.query_params.get("source")
            async with (
                received(request, self._keeper.folder, self._pace) as archive,
                self._turns,
                self._examiner.examined(archive, source) as found,
            ):
                self._access.require_keeper_of(token, found.id)
                kept = await to_thread.run_sync(self._add, found)
        finally:
            self._places.release()
        version = found.version.version
        _logger.info("%s published %s %s", token.name, found.id, version)
        archive = msgspec.to_builtins(found.archive)
        document = {"id": found.id, "version": version, "archive": archive, **kept.document}
        return JSONResponse(document, HTTPStatus.CREATED)

    def _check(self, wanted: _Wanted) -> None:
        path = self._keeper.folder.root / plugin_path(wanted.id)
        if not path.is_file():
            return
        document = read_plugin(path.read_bytes(), wanted.id, path.name)
        try:
            require_new(document, wanted.version)
        except PublishingError as error:
            raise refused_offer(error, wanted.sha256) from error

    def _add(self, found: Examined) -> Kept:
        version = msgspec.structs.replace(
            found.version, published=datetime.now(UTC).replace(microsecond=0)
        )

        def add(change: Change) -> bool:
            add_version(change, found.id, version, found.file)
            return True

        try:
            return self._keeper.change(add)
        except PublishingError as error:
            raise refused_offer(error, found.archive.sha256) from error


def _wanted(request: Request) -> _Wanted:
    try:
        return msgspec.convert(dict(request.query_params), _Wanted)
    except msgspec.ValidationError as error:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "malformed",
            f"that is no question: {error}",
            "It is `upload?id=…&version=…&sha256=…`.",
        ) from error


def refused_offer(error: PublishingError, archive: str | None = None) -> Refusal:
    """The answer to a change that is not taken; `archive` is what was to be published."""
    more: dict[str, Any] = {} if archive is None else {"same": error.archive == archive}
    return Refusal(
        _STATUSES.get(error.conflict, HTTPStatus.CONFLICT),
        error.conflict or "refused",
        f"{error.plugin_id}: {error.message}",
        error.hint,
        **more,
    )


_STATUSES: Mapping[str | None, HTTPStatus] = {
    Conflict.NO_VERSION: HTTPStatus.NOT_FOUND,
    Conflict.FULL: HTTPStatus.INSUFFICIENT_STORAGE,
}
