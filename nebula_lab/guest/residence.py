"""Answers what the host asks of the plugin, in text."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nebula_lab.agent.load_errors import LoadError, MissingEntryError
from nebula_lab.agent.obstacles import obstacle_of
from nebula_lab.agent.tenant import Tenant
from nebula_lab.agent.tracebacks import (
    capped,
    had,
    has_frames_of_the_plugin,
    message_of,
    request_behind,
    traceback_of,
)
from nebula_lab.guest.exchange import Exchange
from nebula_lab.guest.line import GuestContext, HostFunctions, flush
from nebula_lab.plugin import PluginError
from nebula_lab.plugin.plain import to_plain
from nebula_lab.wire.tagged_json import NotTaggedError, dumps, loads

_KINDS: dict[type[BaseException], str] = {
    MissingEntryError: "symbol",
    LoadError: "load",
    NotTaggedError: "unsupported_value",
}


class Residence:
    """The plugin, and the streams that it has begun.

    Args:
        refusal: what a refused `call` raises.
    """

    def __init__(self, host: HostFunctions, refusal: type[Exception]) -> None:
        self._host = host
        self._refusal = refusal
        self._exchange = Exchange()
        self._tenant: Tenant | None = None
        self._streams: dict[int, Iterator[Any]] = {}
        self._last = 0
        self._runner = asyncio.Runner()

    def start(self, request: str) -> str:
        """Bring the plugin up; its description."""
        asked = loads(request, self._exchange.take)
        context = GuestContext(
            asked["plugin_id"],
            asked["config"],
            Path(asked["scratch_dir"]),
            self._host,
            self._exchange,
            self._refusal,
        )
        self._tenant = tenant = Tenant(
            Path(asked["path"]),
            Path(asked["origin"]),
            context,
            api_version=asked["api_version"],
        )
        tenant.bring_up()
        flush()
        return self._text(tenant.description.to_dict(), "description")

    def perform(self, kind: str, operation: str, params: str) -> str:
        """Do a thing that a plugin can be asked for; its value, or the number of a stream."""
        try:
            given = loads(params, self._exchange.take)["value"]
            result = self.result_of(kind, operation, given)
        finally:
            flush()
        if isinstance(result, Iterator):
            return self._begin(result)
        return self._text({"value": result}, "result")

    def result_of(self, kind: str, operation: str, given: Any) -> Any:
        """What came of a thing that a plugin can be asked for, made plain; an iterator of items."""
        tenant = self.tenant
        try:
            result = to_plain(self._awaited(self._done(kind, operation, given)))
        except BaseException as error:
            if kind == "operation":
                tenant.note_failure(operation, error)
            raise
        return self._items_of(result) if inspect.isasyncgen(result) else result

    def _done(self, kind: str, operation: str, given: Any) -> Any:
        tenant = self.tenant
        return tenant.run_cell(given) if kind == "cell" else tenant.perform(kind, operation, given)

    def _begin(self, items: Iterator[Any]) -> str:
        self._last += 1
        self._streams[self._last] = items
        return json.dumps({"stream": self._last})

    def next_item(self, number: int) -> str:
        """The next item of a stream, or that it has ended."""
        items = self._streams[number]
        try:
            item = next(items)
        except StopIteration:
            del self._streams[number]
            return json.dumps({"ended": True})
        except BaseException:
            del self._streams[number]
            raise
        finally:
            flush()
        return self._text({"value": to_plain(item)}, "item")

    def close_stream(self, number: int) -> str:
        """End a stream, if it has not ended."""
        items = self._streams.pop(number, None)
        close = getattr(items, "close", None)
        try:
            if close is not None:
                close()
            return "{}"
        finally:
            flush()

    def failure(self, error: BaseException) -> str:
        """What an error is told as."""
        tenant = self._tenant
        if tenant is not None:
            tenant.put_lines()
        kinds = (name for kind, name in _KINDS.items() if isinstance(error, kind))
        explains = isinstance(error, tuple(_KINDS)) or (
            isinstance(error, PluginError) and not has_frames_of_the_plugin(error.__traceback__)
        )
        message = message_of(error)
        if isinstance(error, NotTaggedError):
            # What there is of it is enough to be told in the manager's own words.
            message = error.found
        return json.dumps(
            {
                "kind": next(kinds, "raised"),
                "type": type(error).__name__,
                "message": capped(message),
                "traceback": "" if explains else capped(traceback_of(error)),
                "element": error.element if isinstance(error, NotTaggedError) else "",
                "obstacle": had(lambda: obstacle_of(error), ""),
                "request": had(lambda: request_behind(error), 0),
            }
        )

    @property
    def tenant(self) -> Tenant:
        """The plugin.

        Raises:
            PluginError: there is none yet.
        """
        if self._tenant is None:
            raise PluginError("no plugin has been loaded into this host")
        return self._tenant

    def _awaited(self, result: Any) -> Any:
        if not inspect.isawaitable(result):
            return result

        async def wait() -> Any:
            return await result

        return self._runner.run(wait())

    def _items_of(self, items: Any) -> Iterator[Any]:
        async def following() -> tuple[bool, Any]:
            try:
                return True, await anext(items)
            except StopAsyncIteration:
                return False, None

        try:
            while (found := self._runner.run(following()))[0]:
                yield found[1]
        finally:
            self._runner.run(items.aclose())

    def _text(self, value: Any, name: str) -> str:
        return dumps(value, self._exchange.put, name)
