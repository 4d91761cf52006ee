"""Runs several calls at once: async operations as tasks, others on threads where allowed."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
from collections.abc import AsyncGenerator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import Empty
from typing import Any

from nebula_lab.agent.cells import ConsoleCell
from nebula_lab.agent.job import Job, JobCancelledError, current_job
from nebula_lab.agent.resident import ASYNC_CONCURRENCY
from nebula_lab.agent.server import Server, encode_result
from nebula_lab.agent.steps import Steps
from nebula_lab.agent.unbegun import withdrawal
from nebula_lab.link.end import ChannelEndedError
from nebula_lab.plugin.host import current_context
from nebula_lab.plugin.plain import to_plain
from nebula_lab.wire.messages import Call, Message, Reply, Shutdown, Stopping

# What a plugin may answer by an async method, operations apart.
_AWAITED = frozenset({"cell", "save_state", "restore_state", "self_test", "dependency_reloaded"})


def serve(server: Server) -> None:
    """Serve until the manager says goodbye, several calls at a time.

    Raises:
        ChannelEndedError: the manager is gone.
    """
    with asyncio.Runner() as runner:
        runner.run(_Concurrent(server).run())


class _Concurrent:
    def __init__(self, server: Server) -> None:
        assert server.resident is not None
        self._server = server
        self._resident = server.resident
        self._tasks: set[asyncio.Task[None]] = set()
        self._done = asyncio.Event()
        # With async operations only, others run one at a time between them, on the loop's thread.
        self._threads = (
            None
            if self._resident.is_async and self._resident.concurrency == ASYNC_CONCURRENCY
            else ThreadPoolExecutor(self._resident.concurrency, "nebula-operation")
        )

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        server = self._server
        server.on_inbox = lambda: loop.call_soon_threadsafe(self._take_inbox)
        loop.add_reader(server.socket_channel.fileno(), self._read)
        self._take_inbox()
        try:
            await self._done.wait()
        finally:
            loop.remove_reader(server.socket_channel.fileno())
            server.on_inbox = None
            if self._threads is not None:
                self._threads.shutdown(wait=False, cancel_futures=True)
        if server.channel.ended is not None:
            raise server.channel.ended

    def _read(self) -> None:
        self._server.channel.read()
        if self._server.channel.ended is not None:
            self._done.set()

    def _take_inbox(self) -> None:
        while True:
            try:
                message = self._server.inbox.get_nowait()
            except Empty:
                return
            if type(message) is Call:
                self._start(self._answer(message), None)
            elif type(message) is Shutdown:
                self._done.set()
            elif type(message) is ConsoleCell:
                self._start(message.run(), message.context)

    def _start(self, work: Coroutine[Any, Any, None], context: contextvars.Context | None) -> None:
        task = asyncio.get_running_loop().create_task(work, context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, call: Call) -> None:
        job = self._server.job_of(call)
        try:
            answer = await self._outcome(job, call)
            self._server.finish(job, answer)
        except ChannelEndedError:
            self._done.set()

    async def _outcome(self, job: Job, call: Call) -> Message:
        if self._runs_as_task(call):
            return await self._run_async(job, call)
        if self._threads is not None and call.kind == "operation":
            return await self._run_on_thread(self._threads, job, call)
        return self._run(job, call)

    def _runs_as_task(self, call: Call) -> bool:
        if call.kind == "operation":
            # On the loop's thread a generator, too, has to wait without holding up the loop.
            return self._threads is None or self._resident.runs_async(call.operation)
        return call.kind in _AWAITED

    def _run(self, job: Job, call: Call) -> Message:
        server = self._server
        return server.outcome(job, lambda: server.drive(job, to_plain(server.perform(call))))

    async def _run_on_thread(self, threads: ThreadPoolExecutor, job: Job, call: Call) -> Message:
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        job.on_cancel = partial(loop.call_soon_threadsafe, self._note_cancel, job)
        try:
            return await loop.run_in_executor(threads, context.run, self._run, job, call)
        finally:
            job.on_cancel = None

    def _note_cancel(self, job: Job) -> None:
        """Have the manager know what stopping a call can do."""
        with contextlib.suppress(ChannelEndedError):
            if job.begun:
                self._server.send(Stopping(job.call))
            else:
                self._server.tell_withdrawn()

    def _cancel(self, job: Job, task: asyncio.Task[Any]) -> None:
        task.cancel()
        if job.begun:
            self._note_cancel(job)

    async def _run_async(self, job: Job, call: Call) -> Message:
        current_job.set(job)  # for this task alone, and so never taken back
        context = self._server.context_of(job)
        context.run(current_job.set, job)
        context.run(current_context.set, self._resident.context)
        task = asyncio.get_running_loop().create_task(self._in_steps(job, call), context=context)
        cancel = partial(self._cancel, job, task)
        job.on_cancel = partial(asyncio.get_running_loop().call_soon_threadsafe, cancel)
        try:
            if job.cancelled:
                cancel()
            return Reply(job.call, encode_result(await task))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the caller is told
            return self._server.failure(job, error) if job.begun else withdrawal(job)
        finally:
            job.on_cancel = None

    async def _in_steps(self, job: Job, call: Call) -> Any:
        return await Steps(self._driven(job, call), self._server, job)

    async def _driven(self, job: Job, call: Call) -> Any:
        if not self._server.begin(job):
            raise JobCancelledError
        result = self._server.perform(call)
        if inspect.isawaitable(result):
            result = await result
        result = to_plain(result)
        if isinstance(result, Iterator):
            result = _as_async(result)
        if not inspect.isasyncgen(result):
            return result
        async with contextlib.aclosing(result) as items:
            if not job.granted:
                return [self._resident.plain(item) async for item in items]
            async for item in items:
                await self._await_credit(job)
                self._server.send_item(job, item)
        return None

    async def _await_credit(self, job: Job) -> None:
        while job.credit <= 0:
            more = asyncio.Event()
            job.on_credit = partial(asyncio.get_running_loop().call_soon_threadsafe, more.set)
            if job.credit <= 0:
                await more.wait()
        job.on_credit = None


async def _as_async(items: Iterator[Any]) -> AsyncGenerator[Any, None]:
    try:
        for item in items:
            yield item
            await asyncio.sleep(0)  # others get their turn even while the stream has credit
    finally:
        close = getattr(items, "close", None)
        if close is not None:
            close()
