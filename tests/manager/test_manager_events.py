"""What subscribers are told, and what they can't do to others."""

from __future__ import annotations

import logging
import threading

import pytest

from nebula_lab.errors import ExecutionFailedError
from nebula_lab.model.events import CallsCounted, LogWritten, OutputWritten, StateChanged

TALKER = """
@operation
def say(self, text: str = "hello"):
    print(text)
    self.context.log("logged " + text, level="warning")
@operation
def fail(self):
    raise ValueError("no")
"""


@pytest.fixture
def plugins(folder):
    folder.plugin("talker", TALKER)
    with folder.manager("None") as manager:
        yield manager


@pytest.fixture(params=["Process", "None"])
def each(request, folder):
    folder.plugin("talker", TALKER)
    with folder.manager(request.param) as manager:
        yield manager


class Told(list):
    """Keeps the events of some kinds."""

    def __init__(self, *kinds):
        self.kinds = kinds

    def __call__(self, event):
        if isinstance(event, self.kinds):
            self.append(event)

    def steps(self):
        return [(event.before.value, event.after.value) for event in self]


LIFE = [
    ("Discovered", "Loading"),
    ("Loading", "Loaded"),
    ("Loaded", "Active"),
    ("Active", "Suspended"),
    ("Suspended", "Loading"),
    ("Loading", "Loaded"),
    ("Loaded", "Unloading"),
    ("Unloading", "Discovered"),
]


def live(plugins):
    plugins["talker"].say()
    plugins.suspend_plugin("talker")
    plugins.resume_plugin("talker")
    plugins.unload_plugin("talker")


def test_state_changes_are_told_in_order(each, wait_until):
    told = Told(StateChanged)
    each.subscribe(told)
    live(each)
    wait_until(lambda: len(told) == len(LIFE), "all state changes")
    assert told.steps() == LIFE


def test_what_a_plugin_prints_and_logs_is_told_with_its_operation(each, wait_until):
    told = Told(OutputWritten, LogWritten)
    each.subscribe(told)
    each["talker"].say(text="told")
    wait_until(lambda: any(isinstance(event, LogWritten) for event in told), "the log record")
    log = next(event for event in told if isinstance(event, LogWritten))
    assert (log.level, log.message) == (logging.WARNING, "logged told")


def test_printed_lines_are_told_and_kept_in_the_log(folder, wait_until):
    folder.plugin("talker", TALKER)
    told = Told(OutputWritten)
    with folder.manager() as plugins:
        plugins.subscribe(told)
        plugins["talker"].say(text="told")
        wait_until(lambda: told, "the output")
        assert (told[0].text, told[0].operation) == ("told\n", "say")
        lines = [(line.stream, line.text) for line in plugins.logs("talker")]
        assert lines == [("stdout", "told"), ("log", "logged told")]


def test_calls_are_told_of_as_ticks(plugins, wait_until):
    told = Told(CallsCounted)
    plugins.subscribe(told)
    for _ in range(20):
        plugins["talker"].say()
    with pytest.raises(ExecutionFailedError):
        plugins["talker"].fail()
    wait_until(lambda: told and told[-1].plugins["talker"] == (21, 1), "a tick with all calls")
    assert len(told) < 20


def test_a_slow_subscriber_loses_no_state_change(plugins, wait_until):
    told, gate = Told(StateChanged), threading.Event()
    plugins.subscribe(lambda event: gate.wait(60))
    plugins.subscribe(told)
    for _ in range(50):
        plugins.load_plugin("talker")
        plugins.unload_plugin("talker")
    gate.set()
    wait_until(lambda: len(told) == 200, "all state changes")


def test_a_slow_subscriber_holds_up_no_call(plugins):
    gate = threading.Event()
    plugins.subscribe(lambda event: gate.wait(60))
    plugins["talker"].say()
    plugins.suspend_plugin("talker")
    assert not gate.is_set()
    gate.set()


def test_behind_a_slow_subscriber_ticks_are_dropped_and_output_is_bounded():
    from datetime import UTC, datetime

    from nebula_lab.runtime.dispatcher import MAX_SHOWN, MAX_TICKS, Dispatcher

    at, told, gate, reached = datetime.now(UTC), [], threading.Event(), threading.Event()
    dispatcher = Dispatcher()

    def slow(event):
        reached.set()
        gate.wait(60)
        told.append(type(event))

    dispatcher.subscribe(slow)
    dispatcher.emit(CallsCounted("", at, {}))
    assert reached.wait(60)
    for _ in range(MAX_SHOWN + 100):
        dispatcher.emit(CallsCounted("", at, {}))
        dispatcher.emit(OutputWritten("x", at, "stdout", "text"))
    gate.set()
    dispatcher.close()
    assert (told.count(CallsCounted), told.count(OutputWritten)) == (MAX_TICKS + 1, MAX_SHOWN)


def test_a_subscriber_that_raises_harms_nobody(plugins, wait_until, caplog):
    def broken(event):
        raise LookupError("my fault")

    told = Told(StateChanged)
    plugins.subscribe(broken)
    plugins.subscribe(told)
    live(plugins)
    wait_until(lambda: told.steps() == LIFE, "all state changes")
    assert "my fault" in caplog.text


def test_a_subscriber_may_call_the_manager(plugins, wait_until):
    answers = []

    def ask(event):
        if isinstance(event, StateChanged) and event.after.value == "Loaded":
            answers.append((plugins.list_plugins(), plugins["talker"].say()))

    plugins.subscribe(ask)
    plugins.load_plugin("talker")
    wait_until(lambda: answers, "the subscriber's own call")


def test_who_unsubscribed_is_told_nothing_more(plugins, wait_until):
    told, others = Told(StateChanged), Told(StateChanged)
    end = plugins.subscribe(told)
    plugins.subscribe(others)
    plugins.load_plugin("talker")
    wait_until(lambda: len(others) == 2, "the others to be told")
    end()
    plugins.unload_plugin("talker")
    wait_until(lambda: len(others) == 4, "the others to be told again")
    assert len(told) == 2


# Metrics


def test_loads_unloads_and_reloads_are_counted(plugins):
    plugins.load_plugin("talker")
    plugins.reload_plugin("talker")
    plugins.unload_plugin("talker")
    metrics = plugins.metrics()
    assert (metrics.loads_total, metrics.reloads_total, metrics.unloads_total) == (1, 1, 1)


def test_metrics_outlive_the_unloading_of_the_plugin(plugins):
    plugins["talker"].say()
    plugins.unload_plugin("talker")
    assert plugins.metrics().plugins["talker"].executions == 1


def test_the_time_of_the_last_call_is_known(plugins):
    assert plugins.list_plugins()[0].last_used is None
    plugins["talker"].say()
    assert plugins.list_plugins()[0].last_used is not None


def test_a_process_has_its_memory_and_processor_time_measured(folder):
    folder.plugin("talker", TALKER)
    with folder.manager() as plugins:
        plugins.load_plugin("talker")
        measured = plugins.metrics().plugins["talker"]
        assert measured.memory is not None
        assert measured.memory > 5_000_000
        assert measured.cpu_time is not None
        assert measured.cpu_time > 0
