"""Calls that run, stream or wait while the code under them is replaced."""

from __future__ import annotations

import pytest

from nebula_lab.errors import (
    CallCancelledError,
    InvalidParamsError,
    OperationNotFoundError,
    PluginError,
)
from nebula_lab.runtime.gate import Gate

PLUGIN = """
def initialize(self, config):
    self.count, self.restored = 0, 0
@operation
def up(self) -> list[int]:
    self.count += 1
    return [VERSION, self.count]
@operation
def stream(self, n: int) -> list[int]:
    for number in range(n):
        yield [VERSION, number]
@operation
async def wait(self, mark: str, gate: str) -> int:
    pathlib.Path(mark).touch()
    while not pathlib.Path(gate).exists():
        await asyncio.sleep(0.002)
    self.count += 10
    return VERSION
def save_state(self): return {"count": self.count}
def restore_state(self, state):
    self.count = state["count"]
    self.restored += 1
    HOLD
"""


def plugin(version: int, hold: str = "") -> str:
    return PLUGIN.replace("VERSION", str(version)).replace("HOLD", hold)


class Swap:
    """A reload that stops where all calls are held, until it is let go on."""

    def __init__(self, folder, plugins, callers, tmp_path, wait_until) -> None:
        self._folder = folder
        self._plugins = plugins
        self._callers = callers
        self._mark, self._gate = tmp_path / "held", tmp_path / "on"
        self._wait_until = wait_until

    def begin(self, edit) -> None:
        # The third time is that of the final state; the first two are of the rehearsal.
        hold = (
            f"if self.restored == 3: pathlib.Path({str(self._mark)!r}).touch()\n"
            f"    while self.restored == 3 and not pathlib.Path({str(self._gate)!r}).exists():\n"
            "        time.sleep(0.002)"
        )
        self._folder.plugin("it", edit(plugin(2, hold)))
        self._callers.start(self._plugins.reload_plugin, "it")
        self._wait_until(self._mark.exists, "calls are held")

    def call(self, operation: str, params: dict) -> None:
        """A call that comes now, and waits."""
        slots = self._plugins._engine.catalogue.record("it").slots
        waiting = slots.queue_length
        self._callers.start(self._plugins.execute, "it", operation, params)
        self._wait_until(lambda: slots.queue_length > waiting, "it waits")

    def end(self) -> list:
        """What came of the reload and of the calls."""
        self._gate.touch()
        return self._callers.join()


@pytest.fixture
def plugins(folder):
    folder.plugin("it", plugin(1))
    with folder.manager(hot_reload=False) as manager:
        manager["it"].up()
        yield manager


@pytest.fixture
def swap(folder, plugins, callers, tmp_path, wait_until):
    return Swap(folder, plugins, callers, tmp_path, wait_until)


def test_a_call_that_waits_runs_on_the_new_code(swap):
    swap.begin(lambda text: text)
    swap.call("up", {})
    assert swap.end() == [None, [2, 2]]


def test_one_whose_operation_has_another_name_now_is_told_the_new_names(swap):
    swap.begin(lambda text: text.replace("def up", "def upwards"))
    swap.call("up", {})
    reloaded, error = swap.end()
    assert reloaded is None
    assert isinstance(error, OperationNotFoundError)
    assert "has no operation 'up'" in str(error) and "upwards" in str(error)


def test_one_whose_params_do_not_fit_any_more_is_told_what_would(swap):
    swap.begin(lambda text: text.replace("self, n: int)", "self, n: str)"))
    swap.call("stream", {"n": 1})
    reloaded, error = swap.end()
    assert reloaded is None
    assert isinstance(error, InvalidParamsError)
    assert "params.n: expected" in str(error) and "string" in str(error)


def test_one_that_lacks_a_param_now_is_told_which(swap):
    swap.begin(lambda text: text.replace("def up(self)", "def up(self, by: int)"))
    swap.call("up", {})
    assert "by" in str(swap.end()[1])


def test_a_param_with_a_default_may_come_to_an_operation(swap):
    swap.begin(lambda text: text.replace("def up(self)", "def up(self, by: int = 0)"))
    swap.call("up", {})
    assert swap.end() == [None, [2, 2]]


def test_one_whose_time_would_be_over_meanwhile_runs_on_the_old_code(swap, plugins):
    swap.begin(lambda text: text)
    assert plugins.execute("it", "up", timeout=3.0) == [1, 2]
    (error,) = swap.end()
    assert isinstance(error, PluginError) and "restore_state" in str(error)
    assert "would have failed" in str(error)
    assert plugins["it"].up() == [1, 3]


def test_an_async_call_ends_on_the_old_code_and_what_it_did_stays(
    folder, plugins, callers, tmp_path, wait_until
):
    mark, gate = tmp_path / "mark", tmp_path / "gate"
    callers.start(plugins.execute, "it", "wait", {"mark": str(mark), "gate": str(gate)})
    wait_until(mark.exists, "it runs")
    folder.plugin("it", plugin(2))
    callers.start(plugins.reload_plugin, "it")
    slots = plugins._engine.catalogue.record("it").slots
    wait_until(lambda: slots.gate is not Gate.OPEN, "the new code is ready")
    gate.touch()
    assert callers.join() == [1, None]
    assert plugins["it"].up() == [2, 12]


def test_a_stream_that_is_read_in_time_gives_all_of_its_items_from_the_old_code(folder, callers):
    folder.plugin("it", plugin(1))
    with folder.manager(hot_reload=False, grace=60.0) as plugins:
        items = plugins["it"].stream(n=300)
        assert next(items) == [1, 0]
        folder.plugin("it", plugin(2))
        callers.start(plugins.reload_plugin, "it")
        assert [number for _, number in items] == list(range(1, 300))
        assert callers.join() == [None]
        assert list(plugins["it"].stream(n=1)) == [[2, 0]]


def test_one_that_nobody_reads_is_ended_and_its_reader_told(folder, plugins):
    items = plugins["it"].stream(n=10_000)
    assert next(items) == [1, 0]
    folder.plugin("it", plugin(2))
    plugins.reload_plugin("it")
    with pytest.raises(CallCancelledError, match="is being replaced"):
        list(items)
    assert plugins["it"].up() == [2, 2]


def test_one_is_not_touched_by_a_reload_that_fails(folder, plugins):
    items = plugins["it"].stream(n=300)
    assert next(items) == [1, 0]
    folder.plugin("it", plugin(2, "raise LookupError('no')"))
    with pytest.raises(Exception, match="LookupError"):
        plugins.reload_plugin("it")
    assert [number for _, number in items] == list(range(1, 300))
