"""The face for asyncio."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import time
import warnings
from contextlib import asynccontextmanager

import pytest

from nebula_lab import AsyncPluginManager, PluginManager, PluginState, UnenforcedWarning
from nebula_lab.errors import ExecutionFailedError, ManagerClosedError, NotFoundError
from nebula_lab.model.events import StateChanged

WORKER = """
def initialize(self, config):
    self.count = 0
@operation
def add(self, n: int = 1) -> int:
    self.count += n
    return self.count
@operation
def echo(self, value):
    return value
@operation
def fail(self):
    raise LookupError("no")
@operation
def hang(self, mark: str):
    pathlib.Path(mark).touch()
    while True:
        time.sleep(0.01)
@operation
def hang_in_c(self, mark: str):
    pathlib.Path(mark).touch()
    return sum(range(10**12))
@operation
def numbers(self, until: int = 10):
    for number in range(until):
        yield number
@operation
def stall(self):
    yield 1
    while True:
        time.sleep(0.01)
def save_state(self): return self.count
def restore_state(self, state): self.count = state
"""


def opener(folder, sandbox="None", **settings):
    folder.plugin("worker", WORKER)

    @asynccontextmanager
    async def open_it():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnenforcedWarning)
            manager = AsyncPluginManager(folder.config(sandbox, **settings))
            await manager.start()
        async with manager:
            yield manager

    return open_it


@pytest.fixture
def run(folder):
    """Runs a coroutine function with a manager that has the plugin `worker`."""

    def run_it(work, sandbox="None", **settings):
        async def main():
            async with opener(folder, sandbox, **settings)() as plugins:
                return await asyncio.wait_for(work(plugins), 30)

        return asyncio.run(main())

    return run_it


@pytest.mark.parametrize("sandbox", ["Process", "None"])
def test_a_call_is_awaited(run, sandbox):
    async def work(plugins):
        first = await plugins.execute("worker", "add", {"n": 2})
        return first, await plugins["worker"].add(n=3)

    assert run(work, sandbox) == (2, 5)


def test_calls_go_on_at_once(run):
    async def work(plugins):
        return await asyncio.gather(*(plugins["worker"].echo(value=n) for n in range(100)))

    assert run(work) == list(range(100))


def test_an_error_is_raised_where_the_call_is_awaited(run):
    async def work(plugins):
        with pytest.raises(ExecutionFailedError, match="LookupError"):
            await plugins["worker"].fail()
        with pytest.raises(NotFoundError):
            await plugins.execute("wroker", "add")

    run(work)


@pytest.mark.parametrize("sandbox", ["Process", "None"])
@pytest.mark.parametrize("until", [10, 1000])
def test_a_stream_is_an_async_iterator(run, sandbox, until):
    async def work(plugins):
        items = await plugins.execute("worker", "numbers", {"until": until})
        return [item async for item in items]

    assert run(work, sandbox) == list(range(until))


def test_a_stream_that_is_closed_early_gives_its_place_back(run):
    async def work(plugins):
        async with await plugins.execute("worker", "numbers", {"until": 10**6}) as items:
            assert await anext(items) == 0
        return await plugins["worker"].add(n=1)

    assert run(work) == 1


def test_map_is_an_async_iterator_in_order(run):
    async def work(plugins):
        params = ({"value": number} for number in range(50))
        return [result async for result in plugins.map("worker", "echo", params)]

    assert run(work) == list(range(50))


CANCELLED = [("None", "hang"), ("Process", "hang"), ("Process", "hang_in_c")]


@pytest.mark.parametrize(("sandbox", "how"), CANCELLED)
def test_cancelling_the_task_stops_the_call_within_the_grace(run, tmp_path, sandbox, how):
    mark = tmp_path / "begun"

    async def work(plugins):
        await plugins.load_plugin("worker")
        task = asyncio.ensure_future(plugins.execute("worker", how, {"mark": str(mark)}))
        while not mark.exists():
            await asyncio.sleep(0)
        started = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert time.monotonic() - started < plugins.config.grace + 10
        (note,) = caught.value.__notes__
        assert f", in {how}: " in note
        return await plugins["worker"].add(n=1)

    assert run(work, sandbox) == 1


def test_asyncio_timeout_stops_the_call(run, tmp_path):
    async def work(plugins):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await plugins["worker"].hang(mark=str(tmp_path / "mark"))
        return await plugins["worker"].add(n=1)

    assert run(work) == 1


def test_cancelling_the_wait_for_an_item_stops_the_stream(run):
    async def work(plugins):
        items = await plugins.execute("worker", "stall")
        assert await anext(items) == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await anext(items)
        return await plugins["worker"].add(n=1)

    assert run(work) == 1


def test_the_life_cycle_is_awaited(run):
    async def work(plugins):
        async def state():
            return (await plugins.list_plugins())[0].state

        await plugins.load_plugin("worker")
        await plugins["worker"].add(n=4)
        await plugins.suspend_plugin("worker")
        assert await state() is PluginState.SUSPENDED
        await plugins.resume_plugin("worker")
        await plugins.reload_plugin("worker")
        assert await plugins["worker"].add(n=1) == 5
        await plugins.unload_plugin("worker")
        assert await state() is PluginState.DISCOVERED
        return (await plugins.metrics()).reloads_total

    assert run(work) == 1


def test_events_come_on_the_event_loop(run):
    async def work(plugins):
        told: asyncio.Queue = asyncio.Queue()
        await plugins.subscribe(told.put_nowait)
        await plugins.load_plugin("worker")
        event = await asyncio.wait_for(told.get(), 10)
        assert isinstance(event, StateChanged)

    run(work)


def test_the_context_of_the_task_goes_with_the_call(folder):
    who = contextvars.ContextVar("who", default="nobody")

    class Sink:
        def __init__(self):
            self.said = []

        def write(self, stream, text):
            self.said.append((who.get(), text))

        def display(self, action, bundle): ...
        def log(self, level, logger, message): ...
        def progress(self, label, done, total, text):
            self.said.append((who.get(), done))

    folder.plugin("worker", "@operation\ndef go(self): self.context.progress(1.0)")

    sink = Sink()

    async def main():
        async with AsyncPluginManager(folder.config("None"), output=sink) as plugins:
            who.set("me")
            await plugins["worker"].go()

    asyncio.run(main())
    assert sink.said == [("me", 1.0)]


def test_every_public_method_of_the_manager_is_there():
    missing = {name for name in vars(PluginManager) if not name.startswith("_")} - set(
        dir(AsyncPluginManager)
    )
    assert missing <= {"begin", "execute_invocation", "places", "output"}


def test_methods_keep_their_signatures_and_texts():
    method = AsyncPluginManager.unload_plugin
    assert list(inspect.signature(method).parameters) == ["self", "plugin_id", "cascade"]
    assert inspect.iscoroutinefunction(method)
    assert method.__doc__ == PluginManager.unload_plugin.__doc__


def test_a_manager_that_was_not_started_says_how_to_start_it():
    plugins = AsyncPluginManager()
    with pytest.raises(ManagerClosedError, match="async with"):
        asyncio.run(plugins.list_plugins())
