"""Type hints as JSON Schema, and params as what the hints say."""

from __future__ import annotations

import dataclasses
import enum
import types
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    Required,
    TypedDict,
    TypeVar,
    Union,
)

import pytest

from nebula_lab.model.schema import compile_schema
from nebula_lab.plugin import Bounds, Plugin, PluginError, operation


def told(case):
    """A case's id: the same in every process, and so without an address."""
    return str(case).partition(" at 0x")[0][:50]


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Point:
    """Where it is."""

    x: int
    y: float = 0.0
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Node:
    name: str
    children: list[Node] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Even:
    n: int

    def __post_init__(self):
        if self.n % 2:
            raise ValueError("odd")


class Options(TypedDict, total=False):
    size: Required[int]
    name: str


class Strict(TypedDict):
    size: int
    name: NotRequired[str]


class Pair(NamedTuple):
    left: int
    right: str = "r"


class Box(dict):
    pass


UserId = NewType("UserId", int)
T = TypeVar("T")
Small = TypeVar("Small", bound=int)

# Of the same form as the objects of annotated-types and of typing_extensions.Doc.
Ge = types.SimpleNamespace(ge=3)
Interval = types.SimpleNamespace(ge=None, gt=0, le=None, lt=9)
Len = types.SimpleNamespace(min_length=1, max_length=None)
Doc = types.SimpleNamespace(documentation="A word.")

POINT = {
    "type": "object",
    "properties": {
        "x": {"type": "integer"},
        "y": {"type": "number", "default": 0.0},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["x"],
    "additionalProperties": False,
    "title": "Point",
    "description": "Where it is.",
}


def typed_dict(title):
    return {
        "type": "object",
        "properties": {"size": {"type": "integer"}, "name": {"type": "string"}},
        "required": ["size"],
        "additionalProperties": False,
        "title": title,
    }


def plugin_with(hint, **default):
    """A plugin whose operation `op` has one parameter `value` of that hint and returns it."""

    def op(self, value=None):
        self.value = value

    op.__annotations__ = {"value": hint}
    op.__defaults__ = tuple(default.values()) or None
    return type("Hinted", (Plugin,), {"op": operation(op)})


def schema_for(hint, **default):
    spec = plugin_with(hint, **default).operations()["op"]
    return spec.params_schema["properties"]["value"]


def converted(hint, value):
    plugin = plugin_with(hint)()
    plugin.execute("op", {"value": value})
    return plugin.value


SCHEMAS = [
    (int, {"type": "integer"}),
    (float, {"type": "number"}),
    (str, {"type": "string"}),
    (bool, {"type": "boolean"}),
    (None, {"type": "null"}),
    (bytes, {"type": "string", "format": "bytes"}),
    (datetime, {"type": "string", "format": "date-time"}),
    (Any, {}),
    (object, {}),
    (Optional[int], {"anyOf": [{"type": "integer"}, {"type": "null"}]}),  # noqa: UP045
    (Union[int, str], {"anyOf": [{"type": "integer"}, {"type": "string"}]}),  # noqa: UP007
    (int | str, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
    (int | Any, {}),
    (Literal["a", 1, None], {"enum": ["a", 1, None]}),
    (Literal[Colour.RED], {"enum": ["red"]}),
    (Colour, {"enum": ["red", "blue"], "title": "Colour"}),
    (Level, {"enum": [1], "title": "Level"}),
    (enum.Flag("Bits", "A B"), {}),
    (list, {"type": "array"}),
    (list[int], {"type": "array", "items": {"type": "integer"}}),
    (list["int"], {"type": "array", "items": {"type": "integer"}}),
    (Sequence[int], {"type": "array", "items": {"type": "integer"}}),
    (Iterable[int], {"type": "array", "items": {"type": "integer"}}),
    (set[int], {"type": "array", "items": {"type": "integer"}}),
    (tuple, {"type": "array"}),
    (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
    (
        tuple[int, str],
        {
            "type": "array",
            "prefixItems": [{"type": "integer"}, {"type": "string"}],
            "minItems": 2,
            "maxItems": 2,
        },
    ),
    (dict, {"type": "object", "additionalProperties": True}),
    (dict[str, Any], {"type": "object", "additionalProperties": True}),
    (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (Mapping[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
    (dict[int, int], {"type": "object", "additionalProperties": True}),
    (Point, POINT),
    (Options, typed_dict("Options")),
    (Strict, typed_dict("Strict")),
    (
        Pair,
        {
            "type": "object",
            "properties": {
                "left": {"type": "integer"},
                "right": {"type": "string", "default": "r"},
            },
            "required": ["left"],
            "additionalProperties": False,
            "title": "Pair",
        },
    ),
    (UserId, {"type": "integer"}),
    (T, {}),
    (Small, {"type": "integer"}),
    (Box, {}),
    ("int", {"type": "integer"}),
    ("list[Point]", {"type": "array", "items": POINT}),
    ("NoSuchName", {}),
    ("list[NoSuchName]", {}),
    ("1 +", {}),
    ("1/0", {}),
    (Annotated[int, Bounds(ge=1, lt=9)], {"type": "integer", "minimum": 1, "exclusiveMaximum": 9}),
    (Annotated[float, Bounds(gt=0, le=1)], {"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
    (Annotated[int, Bounds(multiple_of=5)], {"type": "integer", "multipleOf": 5}),
    (Annotated[str, Bounds(min_length=1)], {"type": "string", "minLength": 1}),
    (
        Annotated[list[int], Bounds(max_length=2)],
        {"type": "array", "items": {"type": "integer"}, "maxItems": 2},
    ),
    (
        Annotated[int | None, Bounds(ge=1)],
        {"anyOf": [{"type": "integer"}, {"type": "null"}], "minimum": 1},
    ),
    (Annotated[int, "How many."], {"type": "integer", "description": "How many."}),
    (
        Annotated[int, Ge, "How many."],
        {"type": "integer", "minimum": 3, "description": "How many."},
    ),
    (Annotated[int, Interval], {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9}),
    (Annotated[str, Len, Doc], {"type": "string", "minLength": 1, "description": "A word."}),
    (
        Annotated[dict[str, int], Len],
        {"type": "object", "additionalProperties": {"type": "integer"}},
    ),
]


@pytest.mark.parametrize(("hint", "schema"), SCHEMAS, ids=told)
def test_a_hint_becomes_a_schema(hint, schema):
    assert schema_for(hint) == schema


@pytest.mark.parametrize(("hint", "schema"), SCHEMAS, ids=told)
def test_the_manager_takes_the_schema_of_a_hint(hint, schema):
    assert compile_schema(schema_for(hint)).schema == schema


def test_a_record_inside_itself_is_cut_off():
    children = schema_for(Node)["properties"]["children"]
    assert children == {"type": "array"}


def test_records_that_use_each_other_twice_do_not_grow_without_end():
    cls = int
    for level in range(18):
        cls = dataclasses.make_dataclass(f"Level{level}", [("a", cls), ("b", cls)])
    compile_schema(schema_for(cls))


def test_a_hint_of_many_levels_is_cut_off_before_the_managers_limit():
    hint = int
    for _ in range(100):
        hint = list[hint]
    compile_schema(schema_for(hint))


@pytest.mark.parametrize(
    ("default", "shown"),
    [
        (1, {"default": 1}),
        (None, {"default": None}),
        (Colour.RED, {"default": "red"}),
        ((1, 2), {"default": [1, 2]}),
        (Point(1), {"default": {"x": 1, "y": 0.0, "tags": []}}),
        (object(), {}),
        (b"x", {}),
        (float("nan"), {}),
        (float("inf"), {}),
        (list(range(1000)), {}),
        ({1: 2}, {}),
        ([[[[[[[[[]]]]]]]]], {}),
    ],
    ids=told,
)
def test_a_default_is_shown_when_it_is_a_small_json_value(default, shown):
    assert schema_for(Any, value=default) == shown


def test_a_class_inside_the_plugin_is_found_and_its_operations_hide_no_type():
    class Library(Plugin):
        @dataclasses.dataclass
        class Book:
            title: str

        @operation
        def list(self) -> int:
            return 0

        @operation
        def add(self, books: list[Book]) -> int:
            return 0

    assert Library.operations()["add"].params_schema["properties"]["books"] == {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"title": {"type": "string"}},
            "required": ["title"],
            "additionalProperties": False,
            "title": "Book",
        },
    }


def test_a_bound_that_says_nothing_about_the_type_is_refused_with_the_method():
    with pytest.raises(PluginError, match=r"op: Bounds\(ge=1\): ge says nothing .* this type"):
        schema_for(Annotated[str, Bounds(ge=1)])


def test_a_foreign_bound_that_says_nothing_is_let_be():
    assert schema_for(Annotated[str, Ge]) == {"type": "string"}


def test_a_method_without_a_return_hint_has_no_result_schema():
    assert plugin_with(int).operations()["op"].result_schema is None


def test_a_param_without_a_default_is_required_and_others_are_refused():
    schema = plugin_with(int).operations()["op"].params_schema
    assert (schema["required"], schema["additionalProperties"]) == (["value"], False)


@pytest.mark.parametrize(("hint", "additional"), [(Any, True), (int, {"type": "integer"})])
def test_double_star_takes_further_params(hint, additional):
    class Open(Plugin):
        @operation
        def op(self, **others):
            return others

        op.__annotations__["others"] = hint

    assert Open.operations()["op"].params_schema["additionalProperties"] == additional
    assert Open().execute("op", {"a": 1}) == {"a": 1}


def test_double_star_does_not_take_self():
    class Open(Plugin):
        @operation
        def op(self, **others):
            return others

    with pytest.raises(PluginError, match="unknown parameter 'self'"):
        Open().execute("op", {"self": 1})


# --- docstrings


class Documented(Plugin):
    @operation
    def google(self, rows: list[int], limit: int = 1, deep: Annotated[int, "From the hint."] = 0):
        """Do it
        well.

        At length.

        Args:
            rows (list of int): The rows
                to take: all.
            limit: How many.
            deep: Not this.

        Returns:
            Nothing: at all.
        """

    @operation
    def numpy(self, rows, left, right, limit=1):
        """Do it.

        Parameters
        ----------
        rows : list of int
            The rows
            to take.
        left, right : int
            A side.
        limit
            How many.

        Returns
        -------
        limit : int
            Not this.
        """


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        (
            "google",
            {"rows": "The rows to take: all.", "limit": "How many.", "deep": "From the hint."},
        ),
        (
            "numpy",
            {
                "rows": "The rows to take.",
                "left": "A side.",
                "right": "A side.",
                "limit": "How many.",
            },
        ),
    ],
)
def test_a_docstring_describes_the_params(name, texts):
    properties = Documented.operations()[name].params_schema["properties"]
    assert {param: schema["description"] for param, schema in properties.items()} == texts


def test_a_description_is_the_first_paragraph_on_one_line():
    assert Documented.operations()["google"].description == "Do it well."


# --- conversion

NOON = datetime(2024, 1, 2, 12, tzinfo=UTC)

CONVERSIONS = [
    (int, 1, 1),
    (float, 1, 1.0),
    (bytes, bytearray(b"x"), b"x"),
    (bytes, memoryview(b"x"), b"x"),
    (datetime, "2024-01-02T12:00:00Z", NOON),
    (datetime, NOON, NOON),
    (Colour, "red", Colour.RED),
    (Colour, Colour.RED, Colour.RED),
    (Level, 1, Level.LOW),
    (Literal[1, "a"], "a", "a"),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[int, ...], [1, 2], (1, 2)),
    (tuple, [1, 2], (1, 2)),
    (set[int], [1, 1], {1}),
    (frozenset, [1], frozenset({1})),
    (list[Colour], ["red"], [Colour.RED]),
    (list[int], (1, 2), [1, 2]),
    (dict[str, Colour], {"c": "red"}, {"c": Colour.RED}),
    (Point, {"x": 1}, Point(1)),
    (Point, Point(1), Point(1)),
    (Pair, {"left": 1}, Pair(1)),
    (Options, {"size": 1}, {"size": 1}),
    (Node, {"name": "a", "children": [{"name": "b"}]}, Node("a", [Node("b")])),
    (int | str, "1", "1"),
    (Point | None, None, None),
    (Colour | Point, {"x": 1}, Point(1)),
    (int | Any, "x", "x"),
    (Annotated[int, Bounds(ge=5)], 1, 1),
    (Any, NOON, NOON),
    ("NoSuchName", [1], [1]),
]


@pytest.mark.parametrize(("hint", "value", "result"), CONVERSIONS, ids=told)
def test_a_param_is_converted_to_its_hint(hint, value, result):
    got = converted(hint, value)
    assert (got, type(got)) == (result, type(result))


REFUSALS = [
    (int, True, "params.value: expected integer, found True"),
    (int, 1.0, "params.value: expected integer, found 1.0"),
    (int, "1", "params.value: expected integer, found '1'"),
    (float, False, "params.value: expected number, found False"),
    (float, 10**400, "params.value: expected number within a float's range"),
    (str, None, "params.value: expected string, found None"),
    (bool, 1, "params.value: expected boolean, found 1"),
    (bytes, "x", "params.value: expected bytes, found 'x'"),
    (datetime, "soon", "params.value: expected date-time, found 'soon'"),
    (Colour, "green", "params.value: expected one of 'red', 'blue', found 'green'"),
    (Colour, [], "params.value: expected one of 'red', 'blue', found []"),
    (Literal[1], True, "params.value: expected one of 1, found True"),
    (list[int], 1, "params.value: expected array, found 1"),
    (list[int], [0, "x"], "params.value[1]: expected integer, found 'x'"),
    (tuple[int, str], [1], "params.value: expected array of 2 items, found [1]"),
    (tuple[int, str], [1, 2], "params.value[1]: expected string, found 2"),
    (set, [[]], "params.value: expected items that a set can hold, found [[]]"),
    (dict[str, int], {"a b": "x"}, "params.value['a b']: expected integer, found 'x'"),
    (dict, [], "params.value: expected object, found []"),
    (list[Point], [{"x": 1}, {"x": "y"}], "params.value[1].x: expected integer, found 'y'"),
    (Point, {}, "params.value.x: expected a value, found nothing"),
    (Point, {"x": 1, "z": 2}, "params.value.z: expected x, y, tags, found unknown key 'z'"),
    (Even, {"n": 1}, "params.value: expected Even, found values that it refuses: odd"),
    (
        Node,
        {"name": "a", "children": [{"name": 1}]},
        "params.value.children[0].name: expected string, found 1",
    ),
    (int | None, "x", "params.value: expected integer or null, found 'x'"),
    (Point | None, {"x": "y"}, "params.value.x: expected integer, found 'y'"),
]


@pytest.mark.parametrize(("hint", "value", "message"), REFUSALS, ids=told)
def test_a_param_that_does_not_fit_is_an_error_with_the_path(hint, value, message):
    with pytest.raises(PluginError) as caught:
        converted(hint, value)
    assert str(caught.value).startswith(f"op: {message}")
