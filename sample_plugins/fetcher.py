"""Fetches many addresses at once, and not more often per second than it is told."""

from __future__ import annotations

import asyncio
import hashlib
import time
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from nebula_lab.plugin import Bounds, Plugin, PluginError, operation

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {
    "id": "fetcher",
    "name": "Fetcher",
    "version": "0.2.0",
    "description": "Fetches file:, data:, http: and https: addresses side by side.",
    "tags": ["network"],
    "security": {"capabilities": ["Network", "FileSystem"]},
}

SCHEMES = ("file:", "data:", "http:", "https:")
Url = Annotated[str, Bounds(min_length=5, max_length=100_000), "file:, data:, http: or https:"]


@dataclass(frozen=True)
class Page:
    """What came back for one address; `error` is empty when it went well.

    `seconds` counts from the call, the wait for the rate limit included.
    """

    url: str
    size: int = 0
    sha256: str = ""
    seconds: float = 0.0
    error: str = ""


class Fetcher(Plugin):
    """Its operations are async: while one waits for the network, others go on."""

    def initialize(self, config: dict[str, Any]) -> None:
        self._interval = 1 / float(config.get("per_second", 50))
        self._timeout = float(config.get("timeout", 10))
        self._most_bytes = int(config.get("max_bytes", 10_000_000))
        self._next_start = 0.0
        self._fetched = 0

    @operation(idempotent=True)
    async def fetch(self, url: Url) -> bytes:
        """The content behind an address."""
        if not url.startswith(SCHEMES):
            raise PluginError(f"{url[:60]!r} is no address", hint=f"Begin with {SCHEMES}.")
        await self._turn()
        content = await asyncio.to_thread(self._read, url)
        self._fetched += 1
        return content

    @operation(idempotent=True)
    async def check(
        self, urls: list[Url], at_once: Annotated[int, Bounds(ge=1, le=64)] = 8
    ) -> AsyncIterator[Page]:
        """Fetch all of them and report on each as soon as it is there.

        Args:
            urls: what to fetch.
            at_once: how many to wait for at a time.
        """
        places = asyncio.Semaphore(at_once)
        tasks = [asyncio.create_task(self._page(url, places)) for url in urls]
        try:
            for done, task in enumerate(asyncio.as_completed(tasks), 1):
                page = await task
                self.context.progress(done, len(urls), page.url[:60])
                yield page
        finally:
            for waiting in tasks:  # the caller may have had enough
                waiting.cancel()

    @operation(idempotent=True)
    async def fetched(self) -> int:
        """How many addresses have been fetched so far."""
        return self._fetched

    async def _page(self, url: str, places: asyncio.Semaphore) -> Page:
        begin = time.monotonic()
        async with places:
            try:
                content = await self.fetch(url)
            except (PluginError, OSError, ValueError) as error:
                return Page(url, seconds=time.monotonic() - begin, error=str(error))
        digest = hashlib.sha256(content).hexdigest()
        return Page(url, len(content), digest, time.monotonic() - begin)

    async def _turn(self) -> None:
        """Wait until the rate limit allows another start."""
        now = time.monotonic()
        start = self._next_start = max(now, self._next_start + self._interval)
        await asyncio.sleep(start - now)

    def _read(self, url: str) -> bytes:
        with urllib.request.urlopen(url, timeout=self._timeout) as answer:  # noqa: S310 - checked
            content: bytes = answer.read(self._most_bytes + 1)
        if len(content) > self._most_bytes:
            raise PluginError(f"{url[:60]} has more than {self._most_bytes} bytes")
        return content


def plugin_entry() -> Fetcher:
    return Fetcher()
