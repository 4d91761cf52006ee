"""A call is the same thing in every sandbox."""

from __future__ import annotations

import logging
import math
import threading
from datetime import UTC, datetime

import pytest

from nebula_lab.errors import (
    CallCancelledError,
    CallCycleError,
    ExecutionFailedError,
    InvalidParamsError,
    OperationNotFoundError,
    PluginError,
    PluginTimeoutError,
    UnsupportedValueError,
)

VALUES = {
    "nothing": None,
    "true": True,
    "a number": 7,
    "a large number": 2**63,
    "a negative number": -(2**53) - 1,
    "a fraction": 0.1,
    "infinity": math.inf,
    "text": "grüße 🙂 \u2028 \x00",
    "an empty text": "",
    "bytes": b"\x00\xff\x80",
    "a moment": datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC),
    "a list": [1, [2, [3, []]]],
    "a dict": {"a": {"b": [None, False]}, "": 1, "__bytes__": "text"},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_comes_back_as_it_went(lab, value):
    found = lab.ask("echo", value=value)
    assert found == value
    assert type(found) is type(value)


def test_what_is_not_a_number_stays_so(lab):
    assert math.isnan(lab.ask("echo", value=math.nan))


def test_megabytes_of_bytes_come_back(lab):
    value = bytes(range(256)) * 4096 * 3
    assert lab.ask("echo", value=value) == value


def test_megabytes_of_text_come_back(lab):
    value = "ä" * 2**20
    assert lab.ask("echo", value=value) == value


def test_bytes_come_from_a_plugin(lab):
    assert lab.ask("zeros", size=2**20) == bytes(2**20)


def test_arrays_go_there_and_back(lab):
    import numpy

    with lab.can("numpy"):
        value = numpy.arange(12.0).reshape(3, 4)
        assert (lab.plugins.execute("arrays", "double", {"value": value}) == value * 2).all()


def test_a_default_is_used(lab):
    assert lab.ask("add", a=1) == 3


def test_params_that_do_not_fit_are_told_with_their_name(lab):
    with pytest.raises(InvalidParamsError, match=r"params\.a"):
        lab.ask("add", a="one")


def test_an_operation_that_is_not_there_is_told_with_one_that_is(lab):
    with pytest.raises(OperationNotFoundError, match="add"):
        lab.ask("ad")


def test_what_an_operation_takes_is_known(lab):
    found = lab.plugins.operations("everything")["add"]
    assert found.description == "The sum of two numbers."
    assert list(found.params.schema["properties"]) == ["a", "b"]


def test_an_error_has_the_plugins_own_traceback(lab):
    with pytest.raises(ExecutionFailedError, match="it is not there") as failure:
        lab.ask("fail")
    assert "everything.py" in str(failure.value)
    assert 'raise LookupError("it is not there")' in str(failure.value)


def test_a_result_that_can_not_be_carried_is_an_error_and_the_plugin_goes_on(lab):
    with pytest.raises(PluginError, match="builtin_function"):
        lab.ask("function")
    assert lab.ask("add", a=1) == 3


def test_params_that_can_not_be_carried_are_refused(lab):
    with pytest.raises(UnsupportedValueError):
        lab.ask("echo", value=object())


def test_what_is_printed_is_there_with_the_result(lab, capsys):
    lab.ask("speak", text="out and about")
    # Without a sandbox it goes where the caller's own goes.
    printed = capsys.readouterr()
    assert lab.notes.text["stdout"] + printed.out == "out and about\n"
    assert lab.notes.text["stderr"] + printed.err == "out and about\n"


def test_what_is_logged_comes_with_its_level(lab):
    lab.ask("note", text="mind the gap")
    assert lab.notes.logged == [(logging.WARNING, "mind the gap")]


def test_progress_comes_to_its_end(lab):
    lab.ask("go_along", steps=3)
    assert lab.notes.steps[-1] == (3, 3)


def test_items_of_a_stream_come_in_order(lab):
    assert list(lab.ask("numbers", until=100)) == list(range(100))


def test_a_stream_that_is_closed_ends_its_generator(lab):
    lab.plugins.reload_plugin("everything")
    before = lab.ask("endings")
    stream = lab.ask("numbers", until=10_000)
    assert next(stream) == 0
    stream.close()
    assert lab.ask("endings") == before + 1


def test_an_async_operation_answers(lab):
    assert lab.ask("wait_a_little", answer="there") == "there"


def test_a_plugin_calls_its_dependency(lab):
    assert lab.plugins.execute("asker", "ask", {"operation": "add", "params": {"a": 5}}) == 7


def test_an_error_of_a_dependency_comes_through(lab):
    with pytest.raises(ExecutionFailedError, match="it is not there"):
        lab.plugins.execute("asker", "ask", {"operation": "fail"})


def test_a_plugin_may_not_call_what_it_does_not_depend_on(lab):
    with pytest.raises(PluginError, match="neighbour"):
        lab.plugins.execute("asker", "ask_stranger")


def test_a_call_that_would_come_back_to_its_caller_is_refused(lab):
    params = {"operation": "ask", "params": {"plugin": "everything", "operation": "add"}}
    with pytest.raises((CallCycleError, ExecutionFailedError), match="everything"):
        lab.plugins.execute("asker", "ask", params)


def test_threads_of_a_plugin_work(lab):
    with lab.can("threads"):
        assert lab.plugins.execute("threaded", "add_on_a_thread", {"a": 1, "b": 2}) == 3


def test_a_plugin_has_a_folder_of_its_own(lab):
    assert lab.ask("scratch", text="noted") == "noted"


def test_a_deadline_holds_and_the_next_call_answers(lab):
    with pytest.raises(PluginTimeoutError, match="spin"):
        lab.ask("spin", timeout=0.2)
    assert lab.ask("add", a=1) == 3


def test_a_call_is_cancelled_from_another_thread(lab):
    lab.plugins.load_plugin("everything")
    call = lab.plugins.begin("everything", "spin", timeout=60)
    timer = threading.Timer(0.2, call.cancel)
    timer.start()
    with pytest.raises(CallCancelledError):
        lab.plugins.execute_invocation(call, {})
    timer.join()
    assert lab.ask("add", a=1) == 3


def test_calls_are_counted(lab):
    before = lab.plugins.plugin_metrics("everything").executions
    lab.ask("add", a=1)
    assert lab.plugins.plugin_metrics("everything").executions == before + 1


def test_calls_of_several_threads_each_get_their_own_answer(lab):
    found: dict[int, list[int]] = {}

    def call(number):
        found[number] = [lab.ask("add", a=number, b=step) - number for step in range(20)]

    threads = [threading.Thread(target=call, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {number: list(range(20)) for number in range(4)}
