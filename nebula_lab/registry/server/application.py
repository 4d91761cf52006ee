"""The server: which request goes where."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
import msgspec
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from nebula_lab.registry.client.searching import matching
from nebula_lab.registry.format.coding import read_index
from nebula_lab.registry.format.documents import FORMAT, Index
from nebula_lab.registry.format.paths import INDEX
from nebula_lab.registry.publishing.folder import RegistryFolder
from nebula_lab.registry.server.access import Access
from nebula_lab.registry.server.answers import EXCEPTION_HANDLERS
from nebula_lab.registry.server.files import FileAnswers
from nebula_lab.registry.server.keeping import Keeper
from nebula_lab.registry.server.pace import Pace
from nebula_lab.registry.server.receiving import sweep
from nebula_lab.registry.server.tokens import TokenFile
from nebula_lab.registry.server.uploading import Uploads
from nebula_lab.registry.server.withdrawing import Withdrawals

if TYPE_CHECKING:
    from nebula_lab.registry.protection.keys import RegistrySigner

__all__ = ["application"]

_MOST_FOUND = 100
_READ = ["GET"]


def application(
    folder: RegistryFolder,
    *,
    tokens: TokenFile | None = None,
    signers: Sequence[RegistrySigner] = (),
    private: bool = False,
    pace: Pace | None = None,
) -> Starlette:
    """A server of a registry, as an ASGI application.

    Args:
        folder: the registry.
        tokens: who may change it; None where nobody may.
        signers: keys to sign with what changes, and what would expire.
        private: whether reading takes a token too.
        pace: how fast uploads have to come.
    """
    access = Access(tokens, private=private)
    keeper = Keeper(folder, signers)
    reading = Reading(folder, access, FileAnswers(folder.root, private=private))
    uploads, withdrawals = Uploads(keeper, access, pace or Pace()), Withdrawals(keeper, access)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await to_thread.run_sync(_begin, folder)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keeper.keep_fresh)
            yield
            tasks.cancel_scope.cancel()

    return Starlette(
        routes=[
            Route("/search", reading.search, methods=_READ),
            Route("/upload", uploads.ask, methods=_READ),
            Route("/upload", uploads.answer, methods=["POST", "PUT"]),
            Route("/yank", withdrawals.yank, methods=["POST"]),
            Route("/unyank", withdrawals.unyank, methods=["POST"]),
            Route("/", reading.about, methods=_READ),
            Route("/{path:path}", reading.file, methods=_READ),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lifespan,
    )


def _begin(folder: RegistryFolder) -> None:
    """Finish and remove what was cut off when a server ended."""
    sweep(folder)
    with folder.changing():
        pass


class Reading:
    """Answers who only reads.

    Args:
        folder: the registry.
        access: knows who may.
        files: answers requests for files.
    """

    def __init__(self, folder: RegistryFolder, access: Access, files: FileAnswers) -> None:
        self._place = folder.root / INDEX
        self._access = access
        self._files = files
        self._index: tuple[tuple[int, int, int], Index] | None = None

    async def file(self, request: Request) -> Response:
        self._access.require_reader(request)
        return await self._files.answer(request)

    async def about(self, request: Request) -> Response:
        """What this is, for whoever opens the address."""
        self._access.require_reader(request)
        index = await to_thread.run_sync(self._read)
        return JSONResponse(
            {
                "format": FORMAT,
                "name": index.name,
                "plugins": len(index.plugins),
                "index": INDEX,
                "search": "search?q=TEXT",
            }
        )

    async def search(self, request: Request) -> Response:
        """The best of what is found; for a client that does not want the whole index."""
        self._access.require_reader(request)
        text = request.query_params.get("q", "")[:1_000]
        found = await to_thread.run_sync(lambda: matching(self._read().plugins, text))
        shown = msgspec.to_builtins(found[:_MOST_FOUND])
        headers = {"cache-control": "no-cache"}
        return JSONResponse(
            {"format": FORMAT, "total": len(found), "plugins": shown}, headers=headers
        )

    def _read(self) -> Index:
        """The index, read again where it was replaced."""
        with self._place.open("rb") as file:
            status = os.fstat(file.fileno())
            now = (status.st_ino, status.st_mtime_ns, status.st_size)
            if self._index is None or self._index[0] != now:
                self._index = (now, read_index(file.read(), INDEX))
        return self._index[1]
