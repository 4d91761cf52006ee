"""`AsyncPluginManager`: the same manager for asyncio, a thin face over `PluginManager`.

Each method is the synchronous one, run on a thread of the face's own in a copy of the caller's
context; nothing is written twice. Cancelling a task cancels its call.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar

from nebula_lab.errors import CallCancelledError, ManagerClosedError
from nebula_lab.manager import PluginManager
from nebula_lab.model import PluginConfig, Problem
from nebula_lab.model.events import Event
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.proxy import PluginProxy
from nebula_lab.runtime.stream import Stream

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import networkx as nx

    from nebula_lab.watch.status import WatchStatus

P = ParamSpec("P")
T = TypeVar("T")

# Threads are made as they are needed, so these bound only the extremes: more calls than this wait
# here and not with their plugin. All else has threads of its own, since calls that wait for a
# stream's plugin must not keep the stream from being read.
_CALLS_AT_ONCE = 256
_OTHERS_AT_ONCE = 64


def _on_a_thread(
    method: Callable[Concatenate[PluginManager, P], T],
) -> Callable[Concatenate[AsyncPluginManager, P], Coroutine[Any, Any, T]]:
    """The coroutine that does what a method of `PluginManager` does, with its signature."""

    @functools.wraps(method)
    async def run(self: AsyncPluginManager, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run(functools.partial(method, self.manager, *args, **kwargs))

    return run


class AsyncPluginManager:
    """`PluginManager` with its methods as coroutines. Start it with `async with`.

    Args:
        config, plugin_dir, output: as for `PluginManager`. The output is shown from other threads
            than the event loop's.
    """

    def __init__(
        self,
        config: PluginConfig | Mapping[str, Any] | None = None,
        *,
        plugin_dir: str | os.PathLike[str] | None = None,
        output: OutputSink | None = None,
    ) -> None:
        self._make = functools.partial(PluginManager, config, plugin_dir=plugin_dir, output=output)
        self._manager: PluginManager | None = None
        self._calls = ThreadPoolExecutor(_CALLS_AT_ONCE, "nebula-async-call")
        self._others = ThreadPoolExecutor(_OTHERS_AT_ONCE, "nebula-async")

    async def start(self) -> Self:
        """Find the plugins, and load those that are to be loaded at start.

        Raises:
            ConfigError, DiscoveryError: see `PluginManager`.
        """
        if self._manager is None:
            self._manager = await self._run(self._make)
        return self

    @property
    def manager(self) -> PluginManager:
        """The synchronous manager behind this one.

        Raises:
            ManagerClosedError: it has not been started.
        """
        if self._manager is None:
            raise ManagerClosedError(
                "the manager has not been started",
                hint="Use `async with AsyncPluginManager(…) as plugins`, or await its start().",
            )
        return self._manager

    # Looking at what is known takes no time

    @property
    def config(self) -> PluginConfig:
        return self.manager.config

    @property
    def closed(self) -> bool:
        return self.manager.closed

    @property
    def unenforced(self) -> tuple[str, ...]:
        return self.manager.unenforced

    @property
    def problems(self) -> tuple[Problem, ...]:
        return self.manager.problems

    @property
    def watch_status(self) -> WatchStatus:
        return self.manager.watch_status

    def hold_watch(self) -> AbstractContextManager[None]:
        """See `PluginManager.hold_watch`."""
        return self.manager.hold_watch()

    @property
    def graph(self) -> nx.DiGraph[str]:
        return self.manager.graph

    @property
    def load_order(self) -> list[str]:
        return self.manager.load_order

    def __getitem__(self, plugin_id: str) -> PluginProxy:
        """`await plugins["counter"].add(n=2)`; nothing is loaded for the sake of completion."""
        self.manager.descriptor(plugin_id)
        known = functools.partial(self.manager.operations, load=False)
        return PluginProxy(plugin_id, self.execute, known)

    def __contains__(self, plugin_id: object) -> bool:
        return plugin_id in self.manager

    def __iter__(self) -> Iterator[str]:
        return iter(self.manager)

    def __len__(self) -> int:
        return len(self.manager)

    list_plugins = _on_a_thread(PluginManager.list_plugins)
    plugin_info = _on_a_thread(PluginManager.plugin_info)
    descriptor = _on_a_thread(PluginManager.descriptor)
    policy = _on_a_thread(PluginManager.policy)
    build_environment = _on_a_thread(PluginManager.build_environment)
    environments_to_lock = _on_a_thread(PluginManager.environments_to_lock)
    dependents = _on_a_thread(PluginManager.dependents)
    operations = _on_a_thread(PluginManager.operations)
    logs = _on_a_thread(PluginManager.logs)
    logs_after = _on_a_thread(PluginManager.logs_after)
    connection_file = _on_a_thread(PluginManager.connection_file)
    metrics = _on_a_thread(PluginManager.metrics)
    plugin_metrics = _on_a_thread(PluginManager.plugin_metrics)
    timeline = _on_a_thread(PluginManager.timeline)
    plugin_health = _on_a_thread(PluginManager.plugin_health)
    health_if_idle = _on_a_thread(PluginManager.health_if_idle)
    rediscover = _on_a_thread(PluginManager.rediscover)
    load_plugin = _on_a_thread(PluginManager.load_plugin)
    warm_up = _on_a_thread(PluginManager.warm_up)
    unload_plugin = _on_a_thread(PluginManager.unload_plugin)
    reload_plugin = _on_a_thread(PluginManager.reload_plugin)

    rollback_plugin = _on_a_thread(PluginManager.rollback_plugin)

    plugin_history = _on_a_thread(PluginManager.plugin_history)

    served_digest = _on_a_thread(PluginManager.served_digest)

    last_reload = _on_a_thread(PluginManager.last_reload)
    version_reasons = _on_a_thread(PluginManager.version_reasons)
    watch = _on_a_thread(PluginManager.watch)
    suspend_plugin = _on_a_thread(PluginManager.suspend_plugin)
    resume_plugin = _on_a_thread(PluginManager.resume_plugin)
    install = _on_a_thread(PluginManager.install)
    update = _on_a_thread(PluginManager.update)
    uninstall = _on_a_thread(PluginManager.uninstall)
    updates = _on_a_thread(PluginManager.updates)
    search = _on_a_thread(PluginManager.search)
    run_cell = _on_a_thread(PluginManager.run_cell)
    debug = _on_a_thread(PluginManager.debug)

    async def subscribe(
        self, callback: Callable[[Event], object], only: Iterable[type[Event]] = (Event,)
    ) -> Callable[[], None]:
        """Be told of events, as in `PluginManager.subscribe`, on this event loop."""
        loop = asyncio.get_running_loop()

        def tell(event: Event) -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed before the manager
                loop.call_soon_threadsafe(callback, event)

        return await self._run(functools.partial(self.manager.subscribe, tell, only))

    # Calling

    async def execute(
        self,
        plugin_id: str,
        operation: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout: float | None = None,
    ) -> Any:
        """See `PluginManager.execute`; an operation that streams gives an `AsyncStream`.

        When the task is cancelled, the call is: withdrawn while it waits, interrupted while it
        runs, and after the configuration's `grace` its host is ended.
        """
        invocation = self.manager.begin(plugin_id, operation, timeout)
        call = functools.partial(self.manager.execute_invocation, invocation, params or {})
        result = await self._run_stoppable(call, invocation.cancel)
        return AsyncStream(result, self) if isinstance(result, Stream) else result

    async def map(
        self,
        plugin_id: str,
        operation: str,
        params_list: Iterable[Mapping[str, Any]],
        *,
        timeout: float | None = None,
    ) -> AsyncIterator[Any]:
        """See `PluginManager.map`; leaving the loop early cancels what was begun."""
        at_once = await self._run(functools.partial(self.manager.places, plugin_id))
        source = iter(params_list)

        def begin(params: Mapping[str, Any]) -> asyncio.Task[Any]:
            return asyncio.ensure_future(
                self.execute(plugin_id, operation, params, timeout=timeout)
            )

        # As in `map`: the next call waits at the host when the one before it is done.
        running = deque(begin(params) for params in islice(source, 2 * at_once))
        try:
            while running:
                result = await running.popleft()
                running.extend(begin(params) for params in islice(source, 1))
                yield result
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    # Inside

    async def _run(self, work: Callable[[], T]) -> T:
        context = contextvars.copy_context()
        return await asyncio.wrap_future(self._others.submit(context.run, work))

    async def _run_stoppable(self, work: Callable[[], T], stop: Callable[[], object]) -> T:
        """Run a call; when the task is cancelled, `stop` it and wait until it has ended."""
        context = contextvars.copy_context()
        started = self._calls.submit(context.run, work)
        running = asyncio.wrap_future(started)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError as cancelled:
            if not started.cancel():
                self._others.submit(stop)
                await _end_of(running)
                _note_place(cancelled, running)
            raise

    # Ending

    async def close(self) -> None:
        """End every plugin's process and remove every temporary file. Can be called again."""
        if self._manager is not None and not self._manager.closed:
            await self._run(self._manager.close)
        for threads in (self._calls, self._others):
            await asyncio.to_thread(threads.shutdown)

    async def __aenter__(self) -> Self:
        try:
            return await self.start()
        except BaseException:
            await self.close()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Async{repr(self._manager)[1:]}" if self._manager else "<AsyncPluginManager>"


async def _end_of(running: asyncio.Future[Any]) -> None:
    """Wait for a call that was stopped; a stream that it gave all the same is not wanted."""
    await asyncio.wait([running])
    if running.exception() is None and isinstance(running.result(), Stream):
        await asyncio.to_thread(running.result().close)


class AsyncStream:
    """The items of an operation that gives them one by one; see `Stream`.

    Use it in an `async with`, or to its end: it holds the plugin's place until then.
    """

    def __init__(self, stream: Stream, owner: AsyncPluginManager) -> None:
        self._stream = stream
        self._owner = owner

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        end = object()
        take = functools.partial(next, self._stream, end)
        item = await self._owner._run_stoppable(take, self._stream.cancel)
        if item is end:
            raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        """Take no more items; the operation is stopped."""
        await self._owner._run(self._stream.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _note_place(cancelled: asyncio.CancelledError, ended: asyncio.Future[Any]) -> None:
    """Say with a cancellation where the plugin was, and what became of it."""
    error = None if ended.cancelled() or not ended.done() else ended.exception()
    if isinstance(error, CallCancelledError) and error.stacks is not None:
        cancelled.add_note(str(error))
