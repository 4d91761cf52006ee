"""The component that runs Python has the world that components in other languages have."""

from __future__ import annotations

import json

import pytest
from component_lab import SAMPLE
from wasm_component import need_wasm
from wasmtime.component import Component, FuncType
from world_host import GUEST, HOST, MORE, WorldHost

from nebula_lab.agent.components.description import described
from nebula_lab.agent.components.engine import make_engine

# What types are made of.
PARTS = ("fields", "cases", "names", "ok", "err", "payload")
SOURCE = """\
from nebula_lab.plugin import HealthStatus, Plugin, operation

PLUGIN_METADATA = {"id": "it", "version": "1.0.0"}


class It(Plugin):
    def initialize(self, config):
        self.count = config.get("start", 0)

    @operation
    def add(self, n: int = 1) -> int:
        \"\"\"Add to the count.\"\"\"
        self.count += n
        return self.count

    @operation
    def count_up(self, to: int):
        for number in range(to):
            print(number)
            self.context.progress(number, to)
            yield number

    @operation
    async def later(self) -> str:
        return "awaited"

    @operation
    def fail(self):
        raise LookupError("not here")

    @operation
    def raw(self):
        return b"bytes"

    def health_check(self):
        return HealthStatus.degraded("tired")

    def save_state(self):
        return {"count": self.count, "raw": b"bytes"}

    def restore_state(self, state):
        assert state["raw"] == b"bytes"
        self.count = state["count"]


def plugin_entry():
    return It()
"""


@pytest.fixture(scope="module")
def python():
    """The component that runs Python, and its engine."""
    from nebula_lab.sandbox.wasm.generic import compiled_component
    from nebula_lab.sandbox.wasm.library import engine

    need_wasm()
    return Component.deserialize_file(engine(), str(compiled_component())), engine()


@pytest.fixture(scope="module")
def zig():
    engine = make_engine(compiles=True)
    return Component(engine, SAMPLE.read_bytes()), engine


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("it")
    (folder / "it.py").write_text(SOURCE)
    return folder


@pytest.fixture
def it(python, folder):
    """A host of the plugin above, in Python."""
    path = str(folder / "it.py")
    request = {"plugin_id": "it", "config": {"start": 5}, "api_version": None}
    places = {"path": path, "origin": path, "scratch_dir": str(folder)}
    host = WorldHost(*python, folder)
    host.ask("start", json.dumps({**request, **places}), interface=None)
    yield host
    host.close()


def of_the_guest(component, engine):
    """What a component exports of the world, with the types in words."""
    exported = component.type.exports(engine)[GUEST].ty.exports(engine)
    kinds = {name: one.ty for name, one in exported.items()}
    return {
        name: (worded(kind.params), worded(kind.result))
        for name, kind in kinds.items()
        if isinstance(kind, FuncType)
    }


def worded(kind):
    """A type, so that it can be compared with that of another engine's component."""
    if kind is None or isinstance(kind, str):
        return kind
    if isinstance(kind, list | tuple):
        return [worded(one) for one in kind]
    parts = [getattr(kind, part) for part in PARTS if hasattr(kind, part)]
    return [type(kind).__name__, *map(worded, parts)]


def test_both_export_the_same_functions_of_the_same_types(python, zig):
    assert of_the_guest(*python) == of_the_guest(*zig)
    assert len(of_the_guest(*zig)) == 7


def test_what_it_imports_besides_is_one_interface(python):
    component, engine = python
    ours = {name for name in component.type.imports(engine) if name.startswith("nebula:")}
    assert ours == {HOST, MORE}


def test_it_describes_itself_as_any_component(it):
    said = described(it.ask("describe"), "it")
    assert [one.name for one in said.operations] == ["add", "count_up", "later", "fail", "raw"]
    assert [one.stream for one in said.operations] == [False, True, False, False, False]
    assert said.operations[0].description == "Add to the count."


def test_it_does_what_an_operation_does(it):
    assert it.ask("execute", "add", '{"n": 3}') == "8"
    assert it.ask("execute", "later", "{}") == '"awaited"'


def test_a_stream_is_given_item_by_item(it):
    assert it.ask("execute", "count_up", '{"to": 3}') == "null"
    assert it.items == [0, 1, 2]
    assert it.steps == [(0.0, 3.0, ""), (1.0, 3.0, ""), (2.0, 3.0, "")]
    assert it.printed[0] == ("stdout", "0\n")


def test_a_stream_ends_when_no_more_is_wanted(it):
    it.most_items = 2
    assert it.ask("execute", "count_up", '{"to": 100}') == "null"
    assert it.items == [0, 1]


@pytest.mark.parametrize(
    ("operation", "kind", "words"),
    [("fail", "LookupError", "not here"), ("raw", "ValueNotSupportedError", "bytes")],
)
def test_what_an_operation_raises_is_a_failure(it, operation, kind, words):
    failed = it.ask("execute", operation, "{}")
    assert getattr(failed, "error-type") == kind
    assert words in failed.message


def test_its_health_is_told(it):
    health = it.ask("health-check")
    assert (health.state, health.message) == ("degraded", "tired")


def test_its_state_moves_on(it):
    it.ask("execute", "add", '{"n": 10}')
    saved = it.ask("save-state")
    it.ask("execute", "add", '{"n": 10}')
    assert it.ask("restore-state", saved) is None
    assert it.ask("execute", "add", '{"n": 0}') == "15"


def test_a_state_of_something_else_is_refused(it):
    assert "none that was saved here" in it.ask("restore-state", "7").message


def test_it_is_initialized_by_its_start(it):
    assert it.ask("initialize", '{"start": 5}') is None
    failed = it.ask("initialize", '{"start": 6}')
    assert "with another configuration" in failed.message


def test_it_is_cleaned_up(it):
    assert it.ask("cleanup") is None


def test_the_same_host_runs_the_sample(zig):
    host = WorldHost(*zig)
    assert "operations" in host.ask("describe")
    assert host.ask("initialize", "{}") is None
    assert host.ask("health-check").state == "healthy"
    host.close()
