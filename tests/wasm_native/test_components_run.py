"""A component is a plugin like any other, in a process and on a thread."""

from __future__ import annotations

import time

import pytest
from component_lab import HOSTILE, ComponentLab

from nebula_lab import HealthStatus, PluginState, SandboxMode
from nebula_lab.errors import ExecutionFailedError, InvalidParamsError, UnsupportedValueError
from nebula_lab.model.enforcement import Enforcement
from nebula_lab.views.policy import policy_view


def test_an_operation_gives_its_result(lab):
    found = lab.plugins.execute("text_stats", "count", {"text": "one two\nthree"})
    assert found == {"lines": 2, "words": 3, "bytes": 13}


def test_a_stream_gives_its_items_one_by_one(lab):
    items = lab.plugins.execute("text_stats", "words", {"text": "a b c"})
    assert [next(items), *items] == ["a", "b", "c"]


def test_a_stream_without_items_ends_at_once(lab):
    assert list(lab.plugins.execute("text_stats", "words", {"text": ""})) == []


def test_a_stream_that_is_given_up_leaves_the_state_as_it_was(begun):
    items = begun.plugins.execute("hostile", "stream_for_ever", {})
    assert next(items) == 1
    items.close()
    assert begun.ask("add", n=0) > 0


def test_params_are_held_to_the_schema_that_it_gives(lab):
    with pytest.raises(InvalidParamsError, match=r"params\.text: expected string"):
        lab.plugins.execute("text_stats", "count", {"text": 3})


def test_what_json_does_not_have_is_refused_by_name(begun):
    with pytest.raises(UnsupportedValueError, match=r"params\.n\[1\]: bytes"):
        begun.ask("greet", n=[1, b"\0"])
    with pytest.raises(UnsupportedValueError, match=r"params\.n: nan"):
        begun.ask("greet", n=float("nan"))


def test_its_configuration_is_handed_over(tmp_path):
    said = {"word": "hällo", "numbers": [1, 2.5, None]}
    lab = ComponentLab("None", tmp_path / "plugins", global_config={"hostile": said})
    with lab.plugins:
        assert lab.ask("greet") == said


def test_what_it_prints_logs_and_reports_is_its_callers(begun):
    begun.ask("speak")
    assert begun.heard.text == {"stdout": "out\n", "stderr": "err\n"}
    assert (30, "mind the gap") in begun.heard.logged
    assert begun.heard.steps == [(1.0, 4.0), (2.0, None)]


def test_it_calls_a_plugin_that_it_depends_on(begun):
    assert begun.ask("call_other", plugin="neighbour", operation="ping") == "pong"


def test_a_failure_of_another_plugin_is_told_to_it(begun):
    told = begun.ask("call_other", plugin="neighbour", operation="refuse")
    assert "not for you" in told["failure"]


def test_it_calls_no_plugin_that_it_has_not_declared(begun):
    told = begun.ask("call_other", plugin="text_stats", operation="total")
    assert "text_stats" in told["failure"]


def test_its_failures_are_told_by_its_own_words(begun):
    with pytest.raises(ExecutionFailedError, match="OutOfCheese"):
        begun.ask("fail")


def test_its_health_is_told(lab):
    lab.plugins.load_plugin("text_stats")
    assert lab.plugins.plugin_health("text_stats") == HealthStatus.HEALTHY


def test_its_state_outlives_a_reload(begun):
    begun.ask("add", n=41)
    begun.plugins.reload_plugin("hostile")
    assert begun.ask("add", n=1) == 42


def test_its_state_outlives_a_suspension(begun):
    begun.ask("add", n=5)
    begun.plugins.suspend_plugin("hostile")
    begun.plugins.resume_plugin("hostile")
    assert begun.ask("add", n=0) == 5


def test_an_edit_is_live_at_the_next_reload(begun):
    path = begun.folder / "hostile.wasm"
    old = path.read_bytes()
    assert old.count(b"OutOfCheese") == 1
    path.write_bytes(old.replace(b"OutOfCheese", b"OutOfButter"))
    try:
        begun.plugins.reload_plugin("hostile")
        with pytest.raises(ExecutionFailedError, match="OutOfButter"):
            begun.ask("fail")
    finally:
        path.write_bytes(old)
        begun.plugins.reload_plugin("hostile")


def test_a_file_that_is_cut_off_leaves_the_old_one_running(begun):
    path = begun.folder / "hostile.wasm"
    old = path.read_bytes()
    begun.ask("add", n=3)
    path.write_bytes(old[:5000])
    try:
        with pytest.raises(Exception, match="in the middle of a section"):
            begun.plugins.reload_plugin("hostile")
        assert begun.ask("add", n=0) == 3
    finally:
        path.write_bytes(old)


def test_a_version_can_be_gone_back_to(begun):
    manifest = begun.folder / "hostile.toml"
    path = begun.folder / "hostile.wasm"
    old, said = path.read_bytes(), manifest.read_text()
    try:
        path.write_bytes(old.replace(b"OutOfCheese", b"OutOfButter"))
        manifest.write_text(said.replace("1.0.0", "1.1.0"))
        begun.plugins.reload_plugin("hostile")
        begun.plugins.rollback_plugin("hostile", "1.0.0")
        with pytest.raises(ExecutionFailedError, match="OutOfCheese"):
            begun.ask("fail")
    finally:
        path.write_bytes(old)
        manifest.write_text(said)
        begun.plugins.reload_plugin("hostile")


def test_a_component_that_is_saved_is_live_by_itself(tmp_path):
    lab = ComponentLab("None", tmp_path / "plugins", hot_reload=True)
    with lab.plugins:
        lab.ask("add", n=5)
        fresh = lab.folder / "fresh"
        fresh.write_bytes(HOSTILE.read_bytes().replace(b"OutOfCheese", b"OutOfButter"))
        fresh.replace(lab.folder / "hostile.wasm")
        until = time.monotonic() + 20
        while "OutOfButter" not in _said_by_failure(lab):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert lab.ask("add", n=0) == 5


def _said_by_failure(lab):
    with pytest.raises(ExecutionFailedError) as failed:
        lab.ask("fail")
    return str(failed.value)


def test_the_policy_says_that_webassembly_holds_it(lab):
    policy = lab.plugins.policy("hostile")
    how = {one.name: one.how for one in policy.measures}
    assert policy.sandbox is SandboxMode.WASM
    assert how["network"] is how["files"] is how["memory"] is Enforcement.WEBASSEMBLY
    assert not policy.gaps
    assert "in sandbox Wasm" in policy_view(policy).text


def test_the_list_says_that_it_runs_in_webassembly(lab):
    found = {one.id: one for one in lab.plugins.list_plugins()}
    assert found["text_stats"].sandbox == f"Wasm in {lab.sandbox}"
    assert found["neighbour"].sandbox == lab.sandbox
    assert found["text_stats"].state is not PluginState.FAILED
