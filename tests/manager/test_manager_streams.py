"""Operations that give their results one by one."""

from __future__ import annotations

import gc

import pytest

from nebula_lab.errors import CallCancelledError, ExecutionFailedError, PluginTimeoutError
from nebula_lab.runtime.stream import WINDOW

STREAMS = """
def initialize(self, config):
    self.given, self.closed = 0, 0
@operation
def numbers(self, until: int = 10):
    try:
        for number in range(until):
            self.given = number + 1
            yield number
    finally:
        self.closed += 1
@operation
async def async_numbers(self, until: int = 10):
    for number in range(until):
        self.given = number + 1
        yield number
@operation
def breaks(self):
    yield 1
    raise LookupError("half way")
@operation
def stalls(self):
    yield 1
    while True:
        time.sleep(0.01)
@operation
def said(self):
    return [self.given, self.closed]
"""
SERIAL = STREAMS.replace("async def", "def").replace("async_numbers", "other_numbers")


@pytest.fixture(scope="module", params=["Process", "None"])
def plugins(request, shared_folder):
    shared_folder.plugin("serial", SERIAL)
    shared_folder.plugin("asynchronous", STREAMS)
    shared_folder.plugin("threads", SERIAL, runtime={"concurrency": 2})
    shared_folder.plugin(
        "taker",
        '@operation\ndef take(self): return self.context.call("serial", "numbers")',
        dependencies=["serial"],
    )
    with shared_folder.manager(request.param) as manager:
        yield manager


KINDS = [("serial", "numbers"), ("asynchronous", "async_numbers"), ("threads", "numbers")]


@pytest.mark.parametrize(("plugin", "operation"), KINDS)
def test_a_stream_gives_every_item_in_order(plugins, plugin, operation):
    items = plugins.execute(plugin, operation, {"until": 1000})
    assert list(items) == list(range(1000))


@pytest.mark.parametrize(("plugin", "operation"), KINDS[1:])
def test_a_stream_holds_its_plugin_back(plugins, plugin, operation):
    with plugins.execute(plugin, operation, {"until": 100_000}) as items:
        assert [next(items) for _ in range(3)] == [0, 1, 2]
        assert plugins.execute(plugin, "said")[0] <= WINDOW + 4


def test_a_stream_that_is_closed_early_leaves_its_plugin_serving(plugins):
    closed = plugins["serial"].said()[1]
    with plugins.execute("serial", "numbers", {"until": 100_000}) as items:
        next(items)
    given, now_closed = plugins["serial"].said()
    assert (given < 1000, now_closed) == (True, closed + 1)


def test_a_stream_that_nobody_holds_any_more_gives_its_place_back(plugins):
    items = plugins.execute("serial", "numbers", {"until": 100_000})
    next(items)
    del items
    gc.collect()
    assert plugins.execute("serial", "said", timeout=60)[0] < 1000


def test_an_error_in_a_stream_comes_after_the_items_before_it(plugins):
    items = plugins.execute("serial", "breaks")
    assert next(items) == 1
    with pytest.raises(ExecutionFailedError, match="half way") as caught:
        next(items)
    assert "LookupError" in caught.value.remote_traceback
    assert list(items) == []


def test_the_time_out_of_a_stream_is_for_each_item(plugins):
    items = plugins.execute("serial", "stalls", timeout=0.5)
    assert next(items) == 1
    with pytest.raises(PluginTimeoutError):
        next(items)
    assert plugins["serial"].said()


def test_a_stream_is_cancelled_from_another_thread(plugins, callers):
    items = plugins.execute("serial", "stalls")
    assert next(items) == 1
    callers.start(next, items)
    items.cancel()
    assert isinstance(callers.join()[0], CallCancelledError)
    assert plugins["serial"].said()


def test_a_plugin_that_calls_a_stream_gets_a_list(plugins):
    assert plugins["taker"].take() == list(range(10))


def test_a_stream_is_counted_once(plugins):
    def count() -> int:
        return plugins.metrics().plugins["serial"].operations["other_numbers"].executions

    list(plugins["serial"].other_numbers())
    before = count()
    list(plugins["serial"].other_numbers())
    assert count() == before + 1


def test_a_stream_that_nobody_ends_is_ended_when_its_plugin_is_reloaded(folder):
    folder.plugin("serial", SERIAL)
    with folder.manager("Process", timeout=1.0) as plugins:
        items = plugins.execute("serial", "numbers", {"until": 100_000}, timeout=20)
        assert next(items) == 0
        plugins.reload_plugin("serial")
        assert plugins["serial"].said()[1] == 1  # the old one's count, which was carried over
        with pytest.raises(CallCancelledError, match="is being replaced"):
            list(items)
