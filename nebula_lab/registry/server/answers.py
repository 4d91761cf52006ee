"""What the server answers when something is wrong: JSON, the same shape always."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from nebula_lab.errors import InvalidVersionError, PluginError, StoreError, UnfinishedChangeError

__all__ = ["Refusal", "problem", "EXCEPTION_HANDLERS"]

_logger = logging.getLogger("nebula_lab.registry")
_NEVER_KEPT = {"cache-control": "no-store"}


class Refusal(Exception):  # noqa: N818 - an answer, not a failure
    """Ends a request with an answer that says why.

    Args:
        status: of HTTP.
        code: a word for programs.
        message: what is wrong, for people.
        hint: what to do.
        headers: more of them.
        more: further keys of the answer.
    """

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        hint: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.document = {"error": code, "message": message, "hint": hint, **more}
        self.headers = {**_NEVER_KEPT, **(headers or {})}


def problem(refusal: Refusal) -> Response:
    """The answer that a refusal is."""
    return JSONResponse(refusal.document, refusal.status, refusal.headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return problem(error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    code = status.name.lower()
    return problem(Refusal(status, code, error.detail, headers=error.headers))


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, PluginError)
    return problem(Refusal(HTTPStatus.BAD_REQUEST, "malformed", error.message, error.hint))


async def _locked(request: Request, error: Exception) -> Response:
    assert isinstance(error, PluginError)
    _logger.error("%s %s: %s", request.method, request.url.path, error)
    return problem(
        Refusal(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "busy",
            "somebody else has been changing the registry for too long",
            "Try again later. Nothing has been changed.",
            headers={"retry-after": "30"},
        )
    )


async def _unfinished(request: Request, error: Exception) -> Response:
    _logger.error("%s %s: %s", request.method, request.url.path, error)
    return problem(
        Refusal(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "unfinished",
            "it was taken, but not every file could be put into its place yet; the log says why",
            "Tell whoever keeps the registry. The next change finishes it; look again after that.",
        )
    )


async def _failed(request: Request, error: Exception) -> Response:
    """What is wrong here is the keeper's business: it is in the log, and not in the answer."""
    said = str(error) if isinstance(error, PluginError) else ""
    _logger.error("%s %s: %s", request.method, request.url.path, said or type(error).__name__)
    return problem(
        Refusal(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            "failed",
            "the registry could not do it; its log says why",
            "Tell whoever keeps the registry. Nothing has been changed.",
        )
    )


EXCEPTION_HANDLERS = {
    Refusal: _refused,
    HTTPException: _http,
    InvalidVersionError: _malformed,
    UnfinishedChangeError: _unfinished,
    StoreError: _locked,
    PluginError: _failed,
    OSError: _failed,
    Exception: _failed,
}
