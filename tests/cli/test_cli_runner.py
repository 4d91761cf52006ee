"""`nebula-plugin-runner`."""

from __future__ import annotations

import json

import pytest

SUMS = """
class Sums(Plugin):
    @operation
    def add(self, a: int, b: int) -> int:
        print("adding")
        return a + b

    @operation
    def upto(self, n: int):
        yield from range(n)

def plugin_entry():
    return Sums()
"""
ASKS = """
class Asks(Plugin):
    @operation
    def ask(self) -> int:
        return self.context.call("sums", "add", {"a": 1, "b": 2})

def plugin_entry():
    return Asks()
"""


@pytest.fixture
def sums(plugin_file):
    return plugin_file("sums", SUMS)


def test_the_result_is_the_only_thing_on_standard_output(script, sums):
    done = script("nebula-plugin-runner", sums, "add", '{"a": 2, "b": 3}')
    assert (done.code, done.out, "adding" in done.err) == (0, "5\n", True)


def test_a_stream_has_a_line_for_each_item(call_runner, sums):
    assert call_runner(sums, "upto", '{"n": 2}').out == "0\n1\n"


def test_params_can_come_from_standard_input(script, sums):
    done = script("nebula-plugin-runner", sums, "add", "-", input='{"a": 2, "b": 3}')
    assert done.out == "5\n"


def test_null_stands_for_no_params(call_runner, sums, plugin_file):
    asks = plugin_file("asks", ASKS, dependencies=["sums"])
    assert call_runner(asks, "ask", "null").out == "3\n"


def test_dependencies_of_dependencies_are_found_beside_it(call_runner, sums, plugin_file):
    plugin_file("asks", ASKS, dependencies=["sums"])
    further = ASKS.replace('"sums", "add", {"a": 1, "b": 2}', '"asks", "ask"')
    outer = plugin_file("outer", further, dependencies=["asks"])
    assert call_runner(outer, "ask", "null").out == "3\n"


def test_a_package_finds_its_dependencies_beside_its_folder(call_runner, sums):
    package = sums.parent / "asking"
    package.mkdir()
    (package / "plugin.toml").write_text(
        'id = "asking"\nversion = "1.0.0"\ndependencies = ["sums"]\n'
    )
    (package / "__init__.py").write_text(f"from nebula_lab.plugin import Plugin, operation\n{ASKS}")
    assert call_runner(package, "ask", "null").out == "3\n"


def test_nothing_else_that_is_beside_it_is_run(call_runner, sums, tmp_path):
    (sums.parent / "stranger.py").write_text(
        'PLUGIN_METADATA = {"id": "stranger", "version": "1.0.0"}\n'
        f"open({str(tmp_path / 'ran')!r}, 'w')\n"
    )
    call_runner(sums, "add", '{"a": 1, "b": 1}')
    assert not (tmp_path / "ran").exists()


FAILS = {
    "an operation that is not there": ("sums.py", "ad", "null"),
    "params that do not fit": ("sums.py", "add", '{"a": "x", "b": 1}'),
    "a file that is no plugin": ("plain.py", "add", "null"),
    "a plugin whose dependency is missing": ("needy.py", "ask", "null"),
}


@pytest.mark.parametrize("name, operation, params", FAILS.values(), ids=FAILS)
def test_what_goes_wrong_ends_with_1_and_is_said_on_standard_error(
    call_runner, sums, plugin_file, name, operation, params
):
    (sums.parent / "plain.py").write_text("x = 1\n")
    plugin_file("needy", ASKS, dependencies=["nobody"])
    done = call_runner(sums.parent / name, operation, params)
    assert (done.code, done.out) == (1, "")
    assert "Error: " in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("params", ["{", "[1]", "3"])
def test_params_that_are_no_object_are_wrong_usage(call_runner, sums, params):
    assert call_runner(sums, "add", params).code == 2


def test_a_path_that_leads_nowhere_is_wrong_usage(call_runner, tmp_path):
    assert call_runner(tmp_path / "gone.py", "add", "null").code == 2


def test_the_seeds_form_of_a_call_works(call_runner, plugin_file):
    body = """
class Bare:
    def initialize(self, config): ...
    def metadata(self): ...
    def execute(self, operation, params): return {"operation": operation, "params": params}
    def health_check(self): return HealthStatus.HEALTHY
    def cleanup(self): ...

def plugin_entry():
    return Bare()
"""
    done = call_runner(plugin_file("bare", body), "anything", '{"input": "hello"}')
    assert json.loads(done.out) == {"operation": "anything", "params": {"input": "hello"}}
