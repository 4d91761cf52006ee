"""From an uploaded archive to a version that is offered."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import anyio
import msgspec
from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from nebula_lab.registry.publishing.changes import Change
from nebula_lab.registry.publishing.offering import OfferError, add_version
from nebula_lab.registry.server.access import Access
from nebula_lab.registry.server.answers import Refusal
from nebula_lab.registry.server.examination import Examined, examined
from nebula_lab.registry.server.keeping import Keeper, Kept
from nebula_lab.registry.server.receiving import received

__all__ = ["Uploads", "refused_offer"]

_logger = logging.getLogger("nebula_lab.registry")
# Each may hold an archive in memory while it is looked at.
_AT_ONCE = 4


class Uploads:
    """Takes uploads.

    Args:
        keeper: changes the registry.
        access: knows who may.
    """

    def __init__(self, keeper: Keeper, access: Access) -> None:
        self._keeper = keeper
        self._access = access
        self._places = anyio.Semaphore(_AT_ONCE)

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
                f"{_AT_ONCE} uploads are under way",
                "Try again in a moment.",
                headers={"retry-after": "5"},
            ) from None
        try:
            source = request.query_params.get("source")
            async with (
                received(request, self._keeper.folder) as archive,
                examined(archive, source) as found,
            ):
                self._access.require_keeper_of(token, found.id)
                kept = await to_thread.run_sync(self._add, found)
        finally:
            self._places.release()
        version = found.version.version
        _logger.info("%s published %s %s", token.name, found.id, version)
        document = {"id": found.id, "version": version, "archive": found.archive, **kept.document}
        return JSONResponse(document, HTTPStatus.CREATED)

    def _add(self, found: Examined) -> Kept:
        version = msgspec.structs.replace(
            found.version, published=datetime.now(UTC).replace(microsecond=0)
        )

        def add(change: Change) -> bool:
            add_version(change, found.id, version, found.file)
            return True

        try:
            return self._keeper.change(add)
        except OfferError as error:
            raise refused_offer(error, found.archive.sha256) from error


def refused_offer(error: OfferError, archive: str | None = None) -> Refusal:
    """The answer to a change that is not taken; `archive` is what was to be published."""
    more: dict[str, Any] = {} if archive is None else {"same": error.archive == archive}
    return Refusal(
        _STATUSES.get(error.conflict, HTTPStatus.CONFLICT),
        error.conflict.value,
        f"{error.plugin_id}: {error.message}",
        error.hint,
        **more,
    )


_STATUSES = {"no_version": HTTPStatus.NOT_FOUND, "full": HTTPStatus.INSUFFICIENT_STORAGE}
