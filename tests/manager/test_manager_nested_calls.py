"""Calls between plugins."""

from __future__ import annotations

import threading
import time

import pytest

from nebula_lab.errors import CallCancelledError, ExecutionFailedError
from nebula_lab.runtime.output import TextSink

RELAY = """
@operation
def relay(self, way: list[str], text: str = "end"):
    print("at", self.context.plugin_id)
    if not way:
        return [text]
    rest = self.context.call(way[0], "relay", {"way": way[1:], "text": text})
    return [self.context.plugin_id, *rest]
@operation
def meet(self, other: str, mine: str, theirs: str, timeout: float = 10.0):
    pathlib.Path(mine).touch()
    while not pathlib.Path(theirs).exists():
        time.sleep(0.002)
    return self.context.call(other, "relay", {"way": []})
@operation
def from_thread(self, other: str, joined: bool = True):
    self.answers = []
    def ask():
        self.asking.wait(60)
        self.answers.append(self.context.call(other, "relay", {"way": []}))
        self.answered.set()
    self.asking, self.answered = threading.Event(), threading.Event()
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    if joined:
        self.asking.set()
        thread.join()
    return self.answers
@operation
def let_thread_ask(self):
    self.asking.set()
    return True
@operation
def thread_answers(self):
    self.answered.wait(60)
    return self.answers
@operation
def call(self, other: str, operation: str, params: dict = {}, timeout: float | None = None):
    return self.context.call(other, operation, params, timeout=timeout)
@operation
def hang(self, mark: str):
    pathlib.Path(mark).touch()
    while True:
        time.sleep(0.01)
@operation
def caught(self, other: str, operation: str):
    try:
        self.context.call(other, operation)
    except Exception as error:
        return str(error)
@operation
def fail(self):
    raise LookupError("deep down")
"""


@pytest.fixture(scope="module", params=["Process", "None"])
def plugins(request, shared_folder):
    shared_folder.plugin("a", RELAY, dependencies=["b", "c"])
    shared_folder.plugin("b", RELAY, dependencies=["c"])
    shared_folder.plugin("c", RELAY)
    shared_folder.plugin("stranger", RELAY)
    with shared_folder.manager(request.param) as manager:
        yield manager


@pytest.fixture(scope="module", params=["Process", "None"])
def circular(request, shared_folder):
    """Plugins that may call each other both ways: an optional edge makes no cycle of loading."""
    shared_folder.plugin("left", RELAY, dependencies=[{"plugin_id": "right", "optional": True}])
    shared_folder.plugin("right", RELAY, dependencies=[{"plugin_id": "left", "optional": True}])
    with shared_folder.manager(request.param) as manager:
        yield manager


def test_a_plugin_calls_one_that_it_depends_on(plugins):
    assert plugins["a"].relay(way=["b"]) == ["a", "end"]


def test_calls_between_plugins_nest(plugins):
    assert plugins["a"].relay(way=["b", "c"]) == ["a", "b", "end"]


def test_a_dependency_that_is_not_declared_is_refused(plugins):
    with pytest.raises(ExecutionFailedError, match="not among its dependencies") as caught:
        plugins["b"].call(other="stranger", operation="relay")
    assert 'dependencies = ["stranger"]' in str(caught.value)


def test_what_nested_calls_print_reaches_the_caller_in_order(plugins, capsys):
    plugins.output = TextSink()
    plugins["a"].relay(way=["b", "c"])
    assert capsys.readouterr().out == "at a\nat b\nat c\n"


def test_an_error_deep_down_is_told_and_can_be_caught(plugins):
    assert "LookupError: deep down" in plugins["a"].caught(other="b", operation="fail")


def test_a_thread_of_an_operation_calls_other_plugins(plugins):
    assert plugins["a"].from_thread(other="c") == [["end"]]


def test_a_thread_that_outlived_its_operation_calls_other_plugins(plugins):
    plugins["a"].from_thread(other="c", joined=False)
    plugins["a"].let_thread_ask()
    assert plugins["a"].thread_answers() == [["end"]]


def test_a_nested_call_has_no_more_time_than_the_one_around_it(plugins, tmp_path):
    params = {
        "other": "c",
        "operation": "hang",
        "params": {"mark": str(tmp_path / "mark")},
        "timeout": 1000.0,
    }
    started = time.monotonic()
    with pytest.raises(ExecutionFailedError):
        plugins.execute("a", "call", params, timeout=0.5)
    assert time.monotonic() - started < 20
    assert plugins["c"].relay(way=[]) == ["end"]


def test_a_call_that_comes_back_round_fails_at_once_with_the_chain(circular):
    with pytest.raises(ExecutionFailedError) as caught:
        circular.execute("left", "relay", {"way": ["right", "left"]}, timeout=60)
    assert "left.relay → right.relay → left.relay" in str(caught.value)


def test_a_plugin_that_calls_itself_fails_at_once(circular, shared_folder):
    with pytest.raises(ExecutionFailedError, match=r"dependencies|itself"):
        circular.execute("left", "call", {"other": "left", "operation": "relay"}, timeout=60)


def test_two_threads_that_would_wait_for_each_other_do_not_hang(circular, callers, tmp_path):
    circular.load_plugin("left")
    circular.load_plugin("right")
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    for plugin, other, mine, theirs in (("left", "right", one, two), ("right", "left", two, one)):
        params = {"other": other, "mine": mine, "theirs": theirs}
        callers.start(lambda p=plugin, q=params: circular.execute(p, "meet", q, timeout=60))
    results = callers.join()
    errors = [result for result in results if isinstance(result, ExecutionFailedError)]
    assert len(errors) == 1
    assert "on another thread" in str(errors[0])
    assert ["end"] in results


def test_cancelling_a_call_cancels_the_one_that_it_waits_for(
    plugins, callers, tmp_path, wait_until
):
    mark = tmp_path / "hanging"
    invocation = plugins.begin("a", "call", 60)
    params = {"other": "b", "operation": "hang", "params": {"mark": str(mark)}}
    callers.start(plugins.execute_invocation, invocation, params)
    wait_until(mark.exists, "the nested call began")
    threading.Thread(target=invocation.cancel).start()
    assert isinstance(callers.join()[0], CallCancelledError)
