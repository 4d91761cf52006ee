"""What a manager is told of a failure: the plugin's own frames, never ours."""

from __future__ import annotations

import asyncio

import pytest

from nebula_lab.agent.failures import failure_of
from nebula_lab.agent.job import EscapedError, JobCancelledError
from nebula_lab.agent.tracebacks import MAX_TEXT
from nebula_lab.plugin import Plugin, PluginError, operation
from nebula_lab.wire.errors import ValueNotSupportedError
from nebula_lab.wire.values import encode_value


class Failing(Plugin):
    @operation
    def divide(self):
        return 1 / 0

    @operation
    def chain(self):
        try:
            self.divide()
        except ZeroDivisionError as error:
            raise ValueError("second") from error

    @operation
    def while_handling(self):
        try:
            self.execute("divide", {})
        except ZeroDivisionError:
            raise KeyError("third")  # noqa: B904 - the context is what is tested

    @operation
    def group(self):
        caught = []
        for name in ("divide", "chain"):
            try:
                self.execute(name, {})
            except Exception as error:
                caught.append(error)
        raise ExceptionGroup("both", caught)

    @operation
    def explain(self):
        raise PluginError("no table", hint="Make one.")

    @operation
    def unprintable(self):
        class Unprintable(Exception):
            def __str__(self):
                raise OSError

        raise Unprintable

    @operation
    def endless(self):
        raise ValueError("x" * 10_000_000)

    @operation
    def unsupported(self):
        return encode_value({"rows": [object()]}, "result")


def failure_in(name):
    try:
        Failing().execute(name, {})
    except Exception as error:
        return failure_of(error, 7)
    pytest.fail("it did not fail")


@pytest.mark.parametrize("name", ["divide", "chain", "while_handling", "group", "explain"])
def test_a_traceback_has_no_frames_of_ours(name):
    text = failure_in(name).traceback
    assert "/nebula_lab/" not in text
    assert f"in {name}" in text


def test_a_chain_of_errors_is_whole():
    text = failure_in("chain").traceback
    assert text.index("ZeroDivisionError") < text.index("direct cause") < text.index("second")


def test_an_error_while_another_was_handled_shows_both():
    text = failure_in("while_handling").traceback
    assert text.index("ZeroDivisionError") < text.index("During handling") < text.index("third")


def test_a_group_shows_each_of_its_errors():
    text = failure_in("group").traceback
    assert "ZeroDivisionError" in text
    assert "second" in text


def test_a_failure_says_which_error_it_was():
    failure = failure_in("divide")
    assert (failure.call, failure.kind, failure.error_type, failure.message) == (
        7, "raised", "ZeroDivisionError", "division by zero",
    )  # fmt: skip


def test_an_error_whose_text_can_not_be_had_is_told_all_the_same():
    assert "its __str__ raised" in failure_in("unprintable").message


def test_a_text_without_end_is_cut():
    failure = failure_in("endless")
    assert max(len(failure.message), len(failure.traceback)) < MAX_TEXT + 100


def test_a_value_that_is_not_carried_is_told_by_its_path():
    failure = failure_in("unsupported")
    assert (failure.kind, failure.element, failure.traceback) == (
        "unsupported_value", "result.rows[0]", "",
    )  # fmt: skip


def test_half_a_pair_of_surrogates_does_not_keep_a_failure_from_being_told():
    assert failure_of(ValueError("\ud800"), 1).message == "\\ud800"


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), JobCancelledError(), asyncio.CancelledError()]
)
def test_a_stopped_call_is_a_cancelled_one(error):
    assert failure_of(error, 1).kind == "cancelled"


@pytest.mark.parametrize(
    ("cause", "kind"), [(KeyboardInterrupt(), "cancelled"), (SystemExit(3), "raised")]
)
def test_what_escaped_from_a_coroutine_is_told_itself(cause, kind):
    escaped = EscapedError()
    escaped.__cause__ = cause
    failure = failure_of(escaped, 1)
    assert (failure.kind, failure.error_type) == (kind, type(cause).__name__)


def test_an_unsupported_value_that_the_plugin_raises_itself_is_one():
    assert failure_of(ValueNotSupportedError("result.x", "set"), 1).element == "result.x"
