"""What goes into a plugin and comes out of it, in both sandboxes."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest

from nebula_lab.errors import (
    ExecutionFailedError,
    InvalidParamsError,
    NotFoundError,
    OperationNotFoundError,
    UnsupportedValueError,
)
from nebula_lab.wire.framing import MAX_FRAME_SIZE

ECHO = """
def initialize(self, config):
    self.calls = 0
@operation
def echo(self, value):
    self.calls += 1
    return value
@operation
def count(self) -> int:
    return self.calls
@operation
def add(self, n: int, rows: list[dict[str, int]] = []) -> int:
    self.calls += 1
    return n
@operation
def unsupported(self):
    return {"rows": [{}, {"when": datetime.timedelta(1)}]}
@operation
def large(self, size: int):
    return "x" * size
@operation
def fail(self):
    raise LookupError("not there")
"""
BARE = """
class Bare:
    def initialize(self, config): ...
    def metadata(self): return {}
    def execute(self, operation, params):
        return {"operation": operation, "params": params}
    def health_check(self): return HealthStatus.HEALTHY
    def cleanup(self): ...
def plugin_entry(): return Bare()
"""


@pytest.fixture(scope="module", params=["Process", "None"])
def plugins(request, shared_folder):
    shared_folder.plugin("echo", ECHO)
    shared_folder.write("bare", BARE)
    with shared_folder.manager(request.param) as manager:
        yield manager


VALUES = {
    "null": None,
    "bytes": b"\x00\xff",
    "text": "ünï\u0000\U0001f30c",
    "infinite": [math.inf, -math.inf],
    "datetime without tz": datetime(2026, 1, 2, 3, 4, 5, 678901),
    "datetime in utc": datetime(2026, 1, 2, tzinfo=UTC),
    "datetime with an offset": datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=5.5))),
    "beyond 64 bit": [2**64, -(2**63) - 1, 10**300, 2**64 - 1, -(2**63)],
    "nested": {"a": [{"b": [1.5, True, {}]}], "": []},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_goes_there_and_back(plugins, value):
    back = plugins.execute("echo", "echo", {"value": value})
    assert (back, type(back)) == (value, type(value))


def test_nan_goes_there_and_back(plugins):
    assert math.isnan(plugins.execute("echo", "echo", {"value": math.nan}))


def test_a_datetime_keeps_its_offset_or_its_lack_of_one(plugins):
    offsets = [
        plugins.execute("echo", "echo", {"value": VALUES[name]}).utcoffset()
        for name in VALUES
        if name.startswith("datetime")
    ]
    assert offsets == [None, timedelta(0), timedelta(hours=5.5)]


def test_a_tuple_arrives_as_a_list(plugins):
    assert plugins.execute("echo", "echo", {"value": (1, (2,))}) == [1, [2]]


def test_an_unsupported_value_in_params_is_named_by_its_path(plugins):
    rows = [1, 2, 3, {"when": timedelta(1)}]
    with pytest.raises(UnsupportedValueError) as caught:
        plugins.execute("bare", "x", {"rows": rows})
    assert "params.rows[3].when: timedelta" in str(caught.value)


def test_an_unsupported_value_in_a_result_is_named_by_its_path(plugins):
    with pytest.raises(UnsupportedValueError) as caught:
        plugins["echo"].unsupported()
    assert "result.rows[1].when: timedelta" in str(caught.value)


def test_params_larger_than_a_frame_are_an_error_and_the_plugin_goes_on(plugins):
    before = plugins["echo"].count()
    with pytest.raises(ExecutionFailedError, match="larger than"):
        plugins.execute("echo", "echo", {"value": "x" * (MAX_FRAME_SIZE + 1)})
    assert plugins["echo"].count() == before


def test_a_result_larger_than_a_frame_is_an_error_and_the_plugin_goes_on(plugins):
    before = plugins["echo"].count()
    with pytest.raises(ExecutionFailedError, match="larger than"):
        plugins["echo"].large(size=MAX_FRAME_SIZE + 1)
    assert plugins["echo"].count() == before


def test_eight_megabytes_go_there_and_back(plugins):
    data = bytes(range(256)) * 32 * 1024
    assert plugins.execute("echo", "echo", {"value": data}) == data


def test_a_wrong_operation_is_answered_with_the_nearest_ones(plugins):
    plugins.load_plugin("echo")
    with pytest.raises(OperationNotFoundError, match="Nearest operations: count"):
        plugins.execute("echo", "cuont")


def test_a_wrong_plugin_is_answered_with_the_nearest_one(plugins):
    with pytest.raises(NotFoundError, match="Did you mean echo"):
        plugins.execute("ecoh", "echo")


MISFITS = {
    "wrong type": ({"n": "1"}, "params.n", "integer"),
    "missing": ({}, "params.n", ""),
    "unknown": ({"n": 1, "m": 2}, "params.m", ""),
    "deep": ({"n": 1, "rows": [{}, {"a": 1.5}]}, "params.rows[1].a", "integer"),
}


@pytest.mark.parametrize("misfit", MISFITS.values(), ids=MISFITS)
def test_params_that_do_not_fit_are_refused_by_path_and_not_sent(plugins, misfit):
    params, element, expected = misfit
    before = plugins["echo"].count()
    with pytest.raises(InvalidParamsError) as caught:
        plugins.execute("echo", "add", params)
    assert caught.value.element == element
    assert expected in caught.value.expected
    assert plugins["echo"].count() == before


def test_an_exception_comes_with_the_plugins_own_frames_and_none_of_ours(plugins):
    with pytest.raises(ExecutionFailedError, match="LookupError: not there") as caught:
        plugins["echo"].fail()
    assert 'raise LookupError("not there")' in caught.value.remote_traceback
    assert "nebula_lab/" not in caught.value.remote_traceback


def test_a_bare_resource_takes_any_operation(plugins):
    answer = plugins.execute("bare", "anything", {"x": 1})
    assert answer == {"operation": "anything", "params": {"x": 1}}


def test_a_bad_timeout_is_refused(plugins):
    with pytest.raises(ValueError, match="timeout"):
        plugins.execute("echo", "count", timeout=-1)


def test_the_proxy_completes_the_operations_and_shows_their_params(plugins):
    import inspect

    plugins.load_plugin("echo")
    assert "add" in dir(plugins["echo"])
    assert list(inspect.signature(plugins["echo"].add).parameters) == ["n", "rows"]
