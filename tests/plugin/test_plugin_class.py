"""`Plugin` and `@operation`: dispatch, defaults, and methods that can't be operations."""

from __future__ import annotations

import asyncio
import dataclasses
import enum
import functools
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

import pytest

from nebula_lab.plugin import (
    DynamicResource,
    HealthStatus,
    Plugin,
    PluginError,
    ResourceMetadata,
    describe,
    operation,
    to_plain,
)

PLUGIN_METADATA = {
    "id": "counter",
    "name": "Counter",
    "version": "1.2.0",
    "tags": ["numbers", "priority:10"],
}


class Counter(Plugin):
    """Counts.

    At length.
    """

    def initialize(self, config):
        self.count = config.get("start", 0)

    @operation
    def add(self, n: int = 1) -> int:
        """Add n to the counter and return it."""
        self.count += n
        return self.count

    @operation(name="sub.tract", idempotent=True, description="Take away.")
    def subtract(self, n: int) -> int:
        """Not this."""
        return self.count - n

    @operation
    def up_to(self, n: int) -> Iterator[int]:
        yield from range(n)

    @operation
    async def later(self) -> str:
        return "now"

    @operation
    async def ticks(self) -> AsyncIterator[int]:
        yield 1

    def save_state(self):
        return {"count": self.count}


class Bare:
    """A resource as in the seed."""

    def initialize(self, config): ...

    def metadata(self):
        return ResourceMetadata("bare")

    def execute(self, operation, params):
        return [operation, params]

    def health_check(self):
        return HealthStatus.HEALTHY

    def cleanup(self): ...

    def restore_state(self, state): ...


@pytest.fixture
def counter():
    plugin = Counter()
    plugin.initialize({"start": 10})
    return plugin


def test_execute_runs_the_marked_method(counter):
    assert counter.execute("add", {"n": 5}) == 15


def test_a_default_is_the_methods_own(counter):
    assert counter.execute("add", {}) == counter.execute("add", None) - 1 == 11


def test_an_operation_answers_to_the_name_it_was_given(counter):
    assert counter.execute("sub.tract", {"n": 1}) == 9


def test_a_marked_method_is_still_a_method(counter):
    assert counter.add(n=2) == 12


def test_an_unknown_operation_names_the_nearest(counter):
    with pytest.raises(PluginError, match=r"no operation 'ad'[^\0]*Nearest operations: add"):
        counter.execute("ad", {})


def test_an_unknown_param_names_the_nearest(counter):
    with pytest.raises(
        PluginError, match=r"params\.nn: .*unknown parameter 'nn', did you mean 'n'"
    ):
        counter.execute("add", {"nn": 1})


def test_a_missing_param_is_named(counter):
    with pytest.raises(
        PluginError, match=r"sub\.tract: params\.n: expected a value, found nothing"
    ):
        counter.execute("sub.tract", {})


def test_params_that_are_no_object_are_refused(counter):
    with pytest.raises(PluginError, match=r"params: expected an object, found \[1\]"):
        counter.execute("add", [1])


def test_a_generator_comes_as_it_is(counter):
    stream = counter.execute("up_to", {"n": 3})
    assert inspect.isgenerator(stream)
    assert list(stream) == [0, 1, 2]


def test_a_coroutine_comes_as_it_is(counter):
    assert asyncio.run(counter.execute("later", {})) == "now"


def test_an_async_generator_comes_as_it_is(counter):
    async def collect():
        return [item async for item in counter.execute("ticks", {})]

    assert asyncio.run(collect()) == [1]


def test_the_default_initialize_keeps_the_config():
    class Quiet(Plugin):
        pass

    plugin = Quiet()
    plugin.initialize({"a": 1})
    assert plugin.config == {"a": 1}


def test_the_default_metadata_is_what_the_source_declares(counter):
    assert counter.metadata() == ResourceMetadata("counter", "Counter", "1.2.0", ["numbers"])


def test_the_default_health_is_healthy(counter):
    assert counter.health_check() is HealthStatus.HEALTHY


# --- what a resource is


@pytest.mark.parametrize("resource", [Counter(), Bare()], ids=["plugin", "bare"])
def test_any_object_with_the_five_methods_is_a_resource(resource):
    assert isinstance(resource, DynamicResource)


def test_an_object_that_lacks_a_method_is_no_resource():
    assert not isinstance(object(), DynamicResource)
    assert not isinstance(Bare(), Plugin)


def test_describing_an_object_that_is_no_resource_names_what_it_lacks():
    class Half:
        def execute(self, operation, params): ...

    with pytest.raises(
        PluginError, match=r"Half .* no initialize, metadata, health_check, cleanup"
    ):
        describe(Half())


def test_a_bare_resource_is_open_to_any_operation():
    assert describe(Bare()).to_dict() == {
        "operations": [],
        "open": True,
        "has_save_state": False,
        "has_restore_state": True,
        "doc": "A resource as in the seed.",
    }


def test_a_plugin_is_described_with_its_operations(counter):
    described = describe(counter)
    assert [spec.name for spec in described.operations] == [
        "add",
        "sub.tract",
        "up_to",
        "later",
        "ticks",
    ]
    assert (described.open, described.has_save_state, described.has_restore_state) == (
        False,
        True,
        False,
    )
    assert described.doc == "Counts."


@pytest.mark.parametrize(
    ("name", "stream", "is_async"),
    [
        ("add", False, False),
        ("up_to", True, False),
        ("later", False, True),
        ("ticks", True, True),
    ],
)
def test_a_spec_says_how_the_operation_answers(name, stream, is_async):
    spec = Counter.operations()[name]
    assert (spec.stream, spec.is_async) == (stream, is_async)


def test_a_spec_has_the_words_of_its_mark():
    spec = Counter.operations()["sub.tract"]
    assert (spec.description, spec.idempotent) == ("Take away.", True)


def test_a_spec_has_the_docstrings_first_paragraph():
    assert Counter.operations()["add"].description == "Add n to the counter and return it."


def test_a_spec_shows_how_the_operation_is_called():
    assert Counter.operations()["add"].signature == "add(n: int = 1) -> int"


def test_a_spec_as_a_dict_is_json():
    assert Counter.operations()["add"].to_dict() == {
        "name": "add",
        "description": "Add n to the counter and return it.",
        "params_schema": {
            "type": "object",
            "properties": {"n": {"type": "integer", "default": 1}},
            "required": [],
            "additionalProperties": False,
        },
        "result_schema": {"type": "integer"},
        "stream": False,
        "is_async": False,
        "idempotent": False,
        "signature": "add(n: int = 1) -> int",
    }


# --- inheritance


def test_a_subclass_has_its_bases_operations_and_its_own():
    class More(Counter):
        @operation
        def double(self) -> int:
            self.count *= 2
            return self.count

    plugin = More()
    plugin.initialize({"start": 2})
    assert plugin.execute("double", {}) + plugin.execute("add", {}) == 9
    assert "double" not in Counter.operations()


def test_an_override_stays_an_operation_without_a_mark_of_its_own():
    class Louder(Counter):
        def add(self, n: float = 1.0) -> float:
            return n * 100

    assert Louder().execute("add", {"n": 2}) == 200.0
    assert Louder.operations()["add"].params_schema["properties"]["n"]["type"] == "number"


def test_a_decorated_method_keeps_the_hints_of_what_it_wraps():
    def traced(method):
        @functools.wraps(method)
        def wrapper(*args, **kwargs):
            return method(*args, **kwargs)

        return wrapper

    class Traced(Plugin):
        @operation
        @traced
        def add(self, n: int) -> int:
            return n + 1

    assert Traced().execute("add", {"n": 1}) == 2
    assert Traced.operations()["add"].params_schema["required"] == ["n"]


# --- methods that can't be operations


def test_positional_only_parameters_are_refused_where_the_class_is_defined():
    with pytest.raises(PluginError, match=r"Bad\.op: a, b can only be passed by position"):

        class Bad(Plugin):
            @operation
            def op(self, a, b, /): ...


def test_star_args_are_refused_where_the_class_is_defined():
    with pytest.raises(PluginError, match=r"Bad\.op: \*rest can't be filled[^\0]*Take a list"):

        class Bad(Plugin):
            @operation
            def op(self, a, *rest): ...


def test_the_error_names_file_and_line_of_the_method():
    with pytest.raises(PluginError) as caught:

        class Bad(Plugin):
            @operation
            def op(self, *rest): ...

    assert caught.value.path == __file__
    assert caught.value.line == inspect.currentframe().f_lineno - 4


@pytest.mark.parametrize("kind", [staticmethod, classmethod, property])
def test_what_is_no_plain_method_is_refused_under_the_mark(kind):
    with pytest.raises(PluginError, match=f"it is a {kind.__name__}"):
        operation(kind(lambda self: None))


@pytest.mark.parametrize("kind", [staticmethod, classmethod, property])
def test_what_is_no_plain_method_is_refused_over_the_mark(kind):
    with pytest.raises(PluginError, match=rf"Bad\.op is a {kind.__name__}"):
        type("Bad", (Plugin,), {"op": kind(operation(lambda self: None))})


def test_a_method_without_self_is_refused():
    with pytest.raises(PluginError, match="it has no self"):

        class Bad(Plugin):
            @operation
            def op(): ...


@pytest.mark.parametrize("name", ["initialize", "execute", "metadata", "context", "operations"])
def test_a_method_that_would_replace_the_hosts_own_is_refused(name):
    with pytest.raises(PluginError, match="the name is the host's own"):
        type("Bad", (Plugin,), {name: operation(lambda self: None)})


def test_two_methods_of_one_operation_name_are_refused():
    with pytest.raises(PluginError, match="one is an operation of the name 'same' already"):

        class Bad(Plugin):
            @operation(name="same")
            def one(self): ...

            @operation(name="same")
            def two(self): ...


@pytest.mark.parametrize("name", ["", "1st", "a b", "ä", "-x", "x" * 101])
def test_a_name_that_cannot_be_typed_is_refused(name):
    with pytest.raises(PluginError, match="can't be the name of an operation"):
        operation(name=name)


# --- results as plain values


class Colour(enum.Enum):
    RED = "red"


class Pair(NamedTuple):
    a: int
    b: tuple


@dataclasses.dataclass
class Point:
    x: int
    colour: Colour = Colour.RED


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (1, 1),
        ((1, (2,)), [1, [2]]),
        ({3}, [3]),
        (Colour.RED, "red"),
        (Point(1), {"x": 1, "colour": "red"}),
        ([Point(1)], [{"x": 1, "colour": "red"}]),
        ({"p": Point(1)}, {"p": {"x": 1, "colour": "red"}}),
        (Pair(1, (2,)), {"a": 1, "b": [2]}),
        (b"x", b"x"),
    ],
)
def test_a_result_becomes_plain(value, plain):
    assert to_plain(value) == plain


def test_a_list_of_plain_values_is_not_copied():
    values = [1, 2.5, None, "x"]
    assert to_plain(values) is values


def test_what_is_not_known_stays_as_it_is():
    thing = object()
    assert to_plain(thing) is thing


def test_a_result_that_contains_itself_is_an_error():
    endless = []
    endless.append(endless)
    with pytest.raises(PluginError, match="contains itself or is nested too deeply"):
        to_plain(endless)
