"""`nebula-lab run`."""

from __future__ import annotations

import json

import pytest

from nebula_lab.cli.failing import ExitCode


@pytest.fixture
def run(call, tool):
    return lambda *words: call("run", "--plugin-dir", tool, *words)


def test_the_result_is_json_on_standard_output_alone(run):
    done = run("tool", "shout", "text=7", "times=2")
    assert (done.code, done.out) == (0, '"77"\n')


def test_what_the_plugin_prints_goes_to_standard_error(run):
    assert "shouting\n" in run("tool", "shout", "text=a").err


def test_a_stream_has_a_line_for_each_item(run):
    assert run("tool", "count", '{"to": 3}').out == "0\n1\n2\n"


def test_bytes_and_nan_go_in_and_come_out(run):
    value = {"a": {"$bytes": "AP8="}, "b": {"$float": "NaN"}}
    assert json.loads(run("tool", "echo", json.dumps({"value": value})).out) == value


def test_a_file_goes_in_as_bytes(run, tmp_path):
    (tmp_path / "data").write_bytes(bytes(300))
    assert run("tool", "size", f"data=@{tmp_path}/data").out == "300\n"


def test_raw_bytes_come_out_as_they_are(script, tool):
    done = script(
        "nebula-lab", "run", "--plugin-dir", tool, "tool", "pixels", "--raw", encoding="latin-1"
    )
    assert done.out == "\x00\xff"


def test_a_plugin_that_fails_ends_with_1_and_its_own_traceback(run):
    done = run("tool", "fail")
    assert (done.code, done.out) == (ExitCode.PLUGIN_FAILED, "")
    assert "RuntimeError: as asked" in done.err
    assert "nebula_lab/" not in done.err


def test_debug_shows_our_traceback_too(run):
    assert "nebula_lab/" in run("tool", "fail", "--debug").err


def test_a_deadline_that_passes_ends_with_4(run):
    done = run("tool", "hang", "--timeout", "100ms")
    assert (done.code, "no answer within 0.1 s" in done.err) == (ExitCode.TIMED_OUT, True)


WRONG = {
    "no such plugin": (["tol", "echo"], "Did you mean tool?"),
    "no such operation": (["tool", "shoot"], "Nearest operations: shout"),
    "a param of another type": (["tool", "shout", "text=a", "times=b"], "params.times"),
    "a param that is missing": (["tool", "shout"], "text"),
    "a word that is no param": (["tool", "shout", "text"], "name=value"),
    "a time that is none": (["tool", "echo", "--timeout", "soon"], "--timeout"),
    "no time at all": (["tool", "echo", "--timeout", "0"], "above 0"),
}


@pytest.mark.parametrize("words, said", WRONG.values(), ids=WRONG)
def test_wrong_usage_ends_with_2_and_says_what_would_do(run, words, said):
    done = run(*words)
    assert (done.code, done.out) == (ExitCode.USAGE, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_where_all_is_enforced_nothing_is_said_of_it(run):
    assert run("tool", "echo").err == ""
