"""Withdraws a version, and takes that back."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Annotated

import msgspec
from anyio import to_thread
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from nebula_lab.errors import PublishingError
from nebula_lab.registry.format.documents import PluginName
from nebula_lab.registry.publishing.changes import Change
from nebula_lab.registry.publishing.offering import set_yanked
from nebula_lab.registry.server.access import Access
from nebula_lab.registry.server.answers import Refusal
from nebula_lab.registry.server.keeping import Keeper, Kept
from nebula_lab.registry.server.uploading import refused_offer

__all__ = ["Withdrawals"]

_logger = logging.getLogger("nebula_lab.registry")
_LONGEST = 16 * 1024


class _Asked(Struct, frozen=True, forbid_unknown_fields=True):
    id: PluginName  # of characters that make no path
    version: Annotated[str, Meta(max_length=256)]
    reason: Annotated[str, Meta(max_length=1_000)] = ""


class Withdrawals:
    """Withdraws versions.

    Args:
        keeper: changes the registry.
        access: knows who may.
    """

    def __init__(self, keeper: Keeper, access: Access) -> None:
        self._keeper = keeper
        self._access = access

    async def yank(self, request: Request) -> Response:
        """Withdraw the version that the body names.

        Raises:
            Refusal: it can't be done.
        """
        return await self._answer(request, withdraw=True)

    async def unyank(self, request: Request) -> Response:
        """Offer it again; as `yank`."""
        return await self._answer(request, withdraw=False)

    async def _answer(self, request: Request, *, withdraw: bool) -> Response:
        token = self._access.require_keeper(request)
        asked = await _asked(request)
        self._access.require_keeper_of(token, asked.id)
        reason = asked.reason if withdraw else None
        kept = await to_thread.run_sync(self._change, asked, reason)
        done = "withdrew" if withdraw else "offers again"
        _logger.info("%s %s %s %s", token.name, done, asked.id, asked.version)
        document = {"id": asked.id, "version": asked.version, "yanked": reason, **kept.document}
        return JSONResponse(document)

    def _change(self, asked: _Asked, reason: str | None) -> Kept:
        def change(draft: Change) -> bool:
            return set_yanked(draft, asked.id, asked.version, reason)

        try:
            return self._keeper.change(change)
        except PublishingError as error:
            raise refused_offer(error) from error


async def _asked(request: Request) -> _Asked:
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > _LONGEST:
            raise Refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "that is too much for a reason"
            )
    try:
        return msgspec.json.decode(content, type=_Asked)
    except msgspec.DecodeError as error:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "malformed",
            f"the body is not what it should be: {error}",
            'It is `{"id": …, "version": …, "reason": …}`.',
        ) from error
