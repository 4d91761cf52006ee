"""The debugger at a plugin's last failed call."""

from __future__ import annotations

import asyncio

import pytest

from nebula_lab import AsyncPluginManager, PluginManager
from nebula_lab.errors import (
    CallCancelledError,
    ExecutionFailedError,
    NothingToDebugError,
    PluginTimeoutError,
)

FAILING = """
@operation
def boom(self, n: int = 3) -> int:
    rows = [1, 2, n]
    return self.inner(rows)
def inner(self, rows):
    weight = 7
    try:
        [][4]
    except IndexError as error:
        raise ValueError("bad rows") from error
@operation
def fine(self) -> int:
    return 1
@operation
def other(self) -> int:
    reason = "another"
    return {}[reason]
@operation
def items(self) -> list[int]:
    yield 1
    at = 2
    raise LookupError("no more")
@operation
def heavy(self) -> int:
    rows = bytearray(40_000_000)
    return rows["x"]
@operation
def starved(self) -> int:
    raise MemoryError
@operation
def slow(self, mark: str = "") -> int:
    turns = 0
    if mark:
        pathlib.Path(mark).touch()
    while True:
        turns += 1
@operation
def die(self) -> int:
    os._exit(3)
"""
ASYNC = """
@operation
async def boom(self) -> int:
    rows = [1]
    await asyncio.sleep(0)
    return rows[5]
"""


@pytest.fixture(scope="module", params=["Process", "None"])
def plugins(request, shared_folder):
    shared_folder.plugin("failing", FAILING)
    shared_folder.plugin("caller", CALLER, dependencies=["failing"])
    shared_folder.plugin("soon", ASYNC)
    shared_folder.plugin("many", FAILING, runtime={"concurrency": 3})
    with shared_folder.manager(request.param, grace=20.0) as manager:  # all gives way
        yield manager


CALLER = """
@operation
def call(self) -> int:
    there = "failing"
    return self.context.call(there, "boom")
"""


def fail(plugins: PluginManager, operation: str = "boom", plugin: str = "failing") -> None:
    with pytest.raises(ExecutionFailedError):
        plugins.execute(plugin, operation)


@pytest.fixture
def failed(plugins):
    fail(plugins)
    plugins.debug("failing")
    return plugins


def test_without_a_command_the_error_and_the_stack_of_the_plugin_are_shown(failed):
    headline, *stack = failed.debug("failing").splitlines()
    assert headline == "failing.boom: ValueError: bad rows"
    assert [line.rpartition(")")[0].rpartition(")")[2] for line in stack[::2]] == [
        "boom(",
        "inner(",
    ]
    assert stack[2].startswith("> ")
    assert stack[3] == '-> raise ValueError("bad rows") from error'


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("p weight", "7"),
        ("pp rows", "[1, 2, 3]"),
        ("whatis weight", "<class 'int'>"),
        ("p [row + weight for row in rows]", "[8, 9, 10]"),
        ("weight", "7"),
        ("!rows.append(4);; p rows", "[1, 2, 3, 4]"),
        ("p 1 / 0", "*** ZeroDivisionError: division by zero"),
        ("p __exception__", "ValueError('bad rows')"),
        ("display weight", "display weight: 7"),
        ("frame 7", "*** there is no frame '7'; they are 0 to 1"),
    ],
)
def test_a_command_gives_its_text(plugins, command, shown):
    fail(plugins)
    plugins.debug("failing")
    assert plugins.debug("failing", command) == shown


def test_what_a_statement_prints_is_shown(failed, capsys):
    given = failed.debug("failing", "!print('said')")
    # In the process of others, it goes where the output of a call goes.
    assert given or capsys.readouterr().out.rstrip() == "said"


def test_args_are_those_of_the_frame(failed):
    assert failed.debug("failing", "args").endswith("\nrows = [1, 2, 3]")


def test_a_frame_stays_from_one_command_to_the_next(failed):
    failed.debug("failing", "up")
    assert failed.debug("failing", "p n") == "3"


def test_beginning_anew_goes_back_to_the_frame_that_raised(failed):
    failed.debug("failing", "up")
    failed.debug("failing")
    assert failed.debug("failing", "p weight") == "7"


def test_a_variable_that_was_set_keeps_its_value(failed):
    failed.debug("failing", "display weight")
    assert failed.debug("failing", "!weight = 8") == "display weight: 8  [old: 7]"


@pytest.mark.parametrize(
    "command", ["c", "n", "s", "r", "unt", "j", "run", "restart", "b", "debug"]
)
def test_nothing_can_be_resumed(failed, command):
    assert failed.debug("failing", command).startswith("*** the")


def test_the_exceptions_that_led_to_it_can_be_looked_at(failed):
    assert failed.debug("failing", "exceptions").splitlines() == [
        "  0  IndexError: list index out of range",
        "> 1  ValueError: bad rows",
    ]
    assert failed.debug("failing", "exceptions 0").endswith("-> [][4]")


def test_a_text_without_end_is_cut(failed):
    text = failed.debug("failing", "p 'x' * 10_000_000")
    assert text.endswith("more characters")
    assert len(text) < 100_000


def test_the_lines_are_those_that_ran(plugins, shared_folder):
    path = shared_folder.path / "failing.py"
    fail(plugins)
    source = path.read_text()
    try:
        path.write_text("# another\n" * 200)
        assert 'raise ValueError("bad rows") from error' in plugins.debug("failing", "ll")
        assert "-> raise ValueError" in plugins.debug("failing", "where")
        assert "def inner(self, rows):" in plugins.debug("failing", "source self.inner")
    finally:
        path.write_text(source)


def test_a_command_that_loops_is_stopped_and_the_session_goes_on(failed):
    with pytest.raises(PluginTimeoutError):
        failed.debug("failing", "!while True: pass", timeout=0.3)
    assert failed.debug("failing", "p weight") == "7"
    assert failed.execute("failing", "fine") == 1


def test_a_call_that_succeeds_leaves_the_failed_one_to_be_looked_at(failed):
    failed.execute("failing", "fine")
    assert failed.debug("failing", "p weight") == "7"


def test_a_call_that_fails_later_is_told_of(failed):
    fail(failed, "other")
    assert failed.debug("failing", "p reason").splitlines() == [
        "(this is about other, which failed last)",
        "'another'",
    ]


def test_a_stream_that_failed_can_be_looked_at(plugins):
    with pytest.raises(ExecutionFailedError):
        list(plugins.execute("failing", "items"))
    plugins.debug("failing")
    assert plugins.debug("failing", "p at") == "2"


def test_a_call_that_took_too_long_shows_where_it_was(plugins):
    with pytest.raises(PluginTimeoutError):
        plugins.execute("failing", "slow", timeout=0.3)
    plugins.debug("failing")
    assert plugins.debug("failing", "p turns > 0") == "True"


@pytest.mark.parametrize("plugin", ["soon", "many"])
def test_calls_that_run_beside_others_can_be_looked_at(plugins, plugin):
    fail(plugins, plugin=plugin)
    plugins.debug(plugin)
    assert plugins.debug(plugin, "p rows[0]") == "1"


def test_of_a_call_to_another_plugin_the_callers_frame_is_shown(plugins):
    fail(plugins, "call", "caller")
    assert "(" in plugins.debug("caller")
    assert plugins.debug("caller", "p there") == "'failing'"


def test_what_held_much_is_let_go(plugins):
    fail(plugins, "heavy")
    with pytest.raises(NothingToDebugError, match="held more than 32 MiB"):
        plugins.debug("failing")


def test_what_failed_for_want_of_memory_is_let_go(plugins):
    fail(plugins, "starved")
    with pytest.raises(NothingToDebugError, match="want of memory"):
        plugins.debug("failing")


def test_what_is_kept_can_be_forgotten(failed):
    failed.debug("failing", "forget")
    with pytest.raises(NothingToDebugError):
        failed.debug("failing")


def test_after_a_reload_there_is_nothing_to_look_at(failed):
    failed.reload_plugin("failing")
    with pytest.raises(NothingToDebugError, match="reloaded or restarted"):
        failed.debug("failing")


def test_a_plugin_that_is_not_loaded_has_nothing_to_look_at(failed):
    failed.unload_plugin("failing", cascade=True)
    with pytest.raises(NothingToDebugError, match="not loaded"):
        failed.debug("failing")


def test_a_plugin_of_which_no_call_failed_has_nothing_to_look_at(folder):
    folder.plugin("calm", FAILING)
    with folder.manager("None") as plugins:
        plugins.load_plugin("calm")
        with pytest.raises(NothingToDebugError, match="no call of it has failed"):
            plugins.debug("calm")


def test_after_a_crash_there_is_nothing_to_look_at(folder):
    folder.plugin("mortal", FAILING)
    with folder.manager() as plugins:
        fail(plugins, plugin="mortal")
        fail(plugins, "die", "mortal")
        assert plugins.execute("mortal", "fine") == 1
        with pytest.raises(NothingToDebugError, match="reloaded or restarted"):
            plugins.debug("mortal")


def test_of_several_replicas_the_one_where_it_failed_is_asked(folder):
    folder.plugin("twin", FAILING, runtime={"replicas": 2})
    with folder.manager("None") as plugins:
        plugins.load_plugin("twin")
        for _ in range(3):
            fail(plugins, plugin="twin")
            assert "bad rows" in plugins.debug("twin")


def test_a_command_waits_for_its_turn_no_longer_than_it_may(folder, callers, wait_until):
    folder.plugin("busy", FAILING)
    with folder.manager("None") as plugins:
        fail(plugins, plugin="busy")
        mark = folder.path.with_name("mark")
        slow = plugins.begin("busy", "slow", 60.0)
        callers.start(plugins.execute_invocation, slow, {"mark": str(mark)})
        wait_until(mark.exists, "the call")
        with pytest.raises(PluginTimeoutError, match="busy"):
            plugins.debug("busy", "p 1", timeout=0.1)
        slow.cancel()
        assert isinstance(callers.join()[0], CallCancelledError)


def test_a_manager_of_coroutines_has_it_too(folder):
    folder.plugin("failing", FAILING)

    async def look() -> str:
        async with AsyncPluginManager(folder.config("None")) as plugins:
            with pytest.raises(ExecutionFailedError):
                await plugins.execute("failing", "boom")
            return await plugins.debug("failing", "p weight")

    assert asyncio.run(look()) == "7"
