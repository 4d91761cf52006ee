"""The files of a registry, and none besides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from anyio import to_thread
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from nebula_lab.registry.server.answers import Refusal

__all__ = ["FileAnswers"]

_ID = r"[A-Za-z_][A-Za-z0-9_.-]{0,99}"
_HASH = r"[0-9a-f]{64}"
_IMMUTABLE = "max-age=31536000, immutable"
# A copy may be kept, but is asked about each time: with its tag that costs one short answer.
_ASKED_ABOUT = "no-cache"
_NAMED_BY_CONTENT = re.compile(rf".*/({_HASH})\.zip")


class _Kind(Struct, frozen=True):
    """Files that are answered in the same way."""

    caching: str
    media_type: str = "application/json"


_DOCUMENT, _FIXED = _Kind(_ASKED_ABOUT), _Kind(_IMMUTABLE)
_KINDS: Mapping[re.Pattern[str], _Kind] = {
    re.compile(pattern): kind
    for pattern, kind in (
        (r"index\.json", _DOCUMENT),
        (rf"plugins/{_ID}\.json", _DOCUMENT),
        (r"metadata/timestamp\.json", _DOCUMENT),
        (r"metadata/[1-9][0-9]{0,9}\.(?:root|targets|snapshot)\.json", _FIXED),
        (rf"signed/(?:{_HASH}\.index|plugins/{_HASH}\.{_ID})\.json", _FIXED),
        (rf"archives/[0-9a-f]{{2}}/{_HASH}\.zip", _Kind(_IMMUTABLE, "application/zip")),
    )
}


class FileAnswers:
    """Answers requests for files.

    Args:
        root: the registry's folder.
        private: whether only those with a token may read, and no cache on the way may keep a copy.
    """

    def __init__(self, root: Path, *, private: bool) -> None:
        self._root = root
        self._whose = "private" if private else "public"

    async def answer(self, request: Request) -> Response:
        """The file at the request's path.

        Raises:
            Refusal: there is none.
        """
        path = request.path_params["path"]
        kind = next((kind for pattern, kind in _KINDS.items() if pattern.fullmatch(path)), None)
        if kind is None:
            raise _absent(path)
        headers = {"cache-control": f"{self._whose}, {kind.caching}"}
        place = self._root / path
        if found := _NAMED_BY_CONTENT.fullmatch(path):
            return await _archive(request, place, found[1], kind, headers)
        return await _document(request, place, kind, headers)


async def _archive(
    request: Request, place: Path, digest: str, kind: _Kind, headers: dict[str, str]
) -> Response:
    if not await to_thread.run_sync(place.is_file):
        raise _absent(place.name)
    headers["etag"] = f'"{digest}"'
    if _is_known(request, headers["etag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return FileResponse(place, headers=headers, media_type=kind.media_type)


async def _document(
    request: Request, place: Path, kind: _Kind, headers: dict[str, str]
) -> Response:
    # Read at once: it may be replaced while it is sent, and its tag has to be of what is sent.
    content = await to_thread.run_sync(_content, place)
    if content is None:
        raise _absent(place.name)
    headers["etag"] = f'"{sha256(content).hexdigest()}"'
    if _is_known(request, headers["etag"]):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(content, headers=headers, media_type=kind.media_type)


def _content(place: Path) -> bytes | None:
    try:
        return place.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_known(request: Request, tag: str) -> bool:
    asked = request.headers.get("if-none-match", "")
    return asked == "*" or tag in {one.strip().removeprefix("W/") for one in asked.split(",")}


def _absent(path: str) -> Refusal:
    return Refusal(HTTPStatus.NOT_FOUND, "not_found", f"there is no {path[:200]} here")
