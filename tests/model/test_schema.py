"""Schemas that a plugin supplies: what is let through, and what fits them."""

from __future__ import annotations

import json
import math
import sys
import timeit
from datetime import UTC, datetime

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.schema import SchemaViolation, compile_schema


def told(case):
    """A case's id: the same in every process, and so without an address."""
    return str(case).partition(" at 0x")[0][:50]


QUERY = {
    "type": "object",
    "properties": {
        "sql": {"type": "string"},
        "limit": {"type": "integer", "minimum": 1, "default": 100},
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        },
        "when": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
    },
    "required": ["sql"],
    "additionalProperties": False,
}


def nested(levels, keyword="items"):
    schema = {}
    for _ in range(levels - 1):
        schema = {keyword: schema}
    return schema


def nested_list(levels):
    value = []
    for _ in range(levels - 1):
        value = [value]
    return value


# --- what is refused

REFUSED = [
    (None, "schema: a schema is an object, not None"),
    ([], "schema: a schema is an object"),
    ({"$ref": "#"}, r"schema: unknown keyword '\$ref'"),
    ({"pattern": "(a+)+$"}, "schema: unknown keyword 'pattern'"),
    ({1: 2}, "schema: unknown keyword 1"),
    ({"tpye": "string"}, r"unknown keyword 'tpye'[^\0]*Did you mean 'type'"),
    ({"properties": {"a": {"not": {}}}}, r"schema\.properties\.a: unknown keyword 'not'"),
    ({"properties": {"a b": {"type": "text"}}}, r"schema\.properties\['a b'\]\.type: must be one"),
    ({"properties": []}, r"schema\.properties: must be an object of schemas"),
    ({"properties": {1: {}}}, r"schema\.properties: the name 1: must be text"),
    ({"type": ["string", "null"]}, r"schema\.type: must be one of integer, number"),
    ({"format": "regex"}, r"schema\.format: must be one of bytes, date-time, not 'regex'"),
    ({"items": True}, r"schema\.items: a schema is an object, not True"),
    ({"additionalProperties": 1}, r"schema\.additionalProperties: a schema is an object"),
    ({"prefixItems": []}, r"schema\.prefixItems: must be a list that is not empty"),
    ({"anyOf": [{}, {"type": 1}]}, r"schema\.anyOf\[1\]\.type: must be one of"),
    ({"enum": []}, r"schema\.enum: must be a list that is not empty"),
    ({"enum": [b"x"]}, r"schema\.enum\[0\]: must be a JSON value, not bytes of 1 byte"),
    ({"const": {1: 2}}, r"schema\.const: the key 1: must be text"),
    ({"default": {"a": [object]}}, r"schema\.default\.a\[0\]: must be a JSON value"),
    ({"default": math.nan}, r"schema\.default: must be finite"),
    ({"required": "a"}, r"schema\.required: must be a list of names"),
    ({"required": ["a", "a"]}, r"schema\.required: names something twice"),
    ({"required": [1]}, r"schema\.required\[0\]: must be text"),
    ({"minimum": "1"}, r"schema\.minimum: must be a number"),
    ({"maximum": True}, r"schema\.maximum: must be a number"),
    ({"minimum": math.inf}, r"schema\.minimum: must be finite"),
    ({"multipleOf": 0}, r"schema\.multipleOf: must be above 0"),
    ({"minLength": -1}, r"schema\.minLength: must be a whole number"),
    ({"maxItems": 1.0}, r"schema\.maxItems: must be a whole number"),
    ({"title": 1}, r"schema\.title: must be text"),
    ({"enum": [1 << 5000]}, r"schema\.enum\[0\]: an integer of more than 4096 bits"),
    (nested(33), "items: more than 32 levels deep"),
    ({"default": nested_list(33)}, r"schema\.default.*: more than 32 levels deep"),
    ({"description": "x" * 262_144}, "the schema is longer than 262144 bytes"),
    ({"description": "\U0001f600" * 70_000}, "the schema is longer than 262144 bytes"),
    ({"enum": [0] * 150_000}, "the schema is longer than 262144 bytes"),
    ({"properties": {f"p{i}": {} for i in range(40_000)}}, "the schema is longer than 262144"),
]


@pytest.mark.parametrize(("schema", "message"), REFUSED, ids=told)
def test_a_schema_outside_the_vocabulary_is_refused_with_the_element(schema, message):
    with pytest.raises(MetadataLoadError, match=message):
        compile_schema(schema)


def test_a_schema_of_just_the_depth_is_taken():
    compile_schema(nested(32))


def test_a_schema_that_contains_itself_is_refused():
    schema = {}
    schema["anyOf"] = [schema]
    with pytest.raises(MetadataLoadError, match="more than 32 levels"):
        compile_schema(schema)


def test_a_schema_that_doubles_at_each_level_is_refused_by_its_size():
    schema = {}
    for _ in range(30):
        schema = {"anyOf": [schema, schema]}
    with pytest.raises(MetadataLoadError, match="longer than"):
        compile_schema(schema)


@pytest.mark.parametrize("schema", [QUERY, {"enum": ["ä", 1, None, 2.5, [True]]}, nested(10)])
def test_size_is_measured_as_json(schema):
    size = len(json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode())
    compile_schema(schema, max_bytes=math.ceil(size * 1.3) + 10)
    with pytest.raises(MetadataLoadError, match="longer than"):
        compile_schema(schema, max_bytes=math.floor(size * 0.7))


def test_the_limits_are_the_callers_to_set():
    with pytest.raises(MetadataLoadError, match="more than 2 levels"):
        compile_schema(nested(3), max_depth=2)


def test_what_is_compiled_is_a_copy():
    schema = {"type": "object", "properties": {"a": {"enum": ["x"]}}, "required": ["a"]}
    compiled = compile_schema(schema)
    schema["properties"]["a"]["enum"].append("y")
    schema["required"].append("b")
    assert compiled.check({"a": "y"}) is not None
    assert compiled.check({"a": "x"}) is None
    assert compiled.required == ("a",)
    assert compiled.properties == {"a": {"enum": ["x"]}}


# --- what fits


@pytest.mark.parametrize(
    "params",
    [
        {"sql": "select 1"},
        {"sql": "", "limit": 1, "rows": [], "when": None},
        {"sql": "", "rows": ({"name": "a"},), "when": datetime(2024, 1, 1, tzinfo=UTC)},
        {"sql": "", "when": "2024-01-01T00:00:00Z"},
    ],
)
def test_params_that_fit(params):
    assert compile_schema(QUERY).check(params) is None


@pytest.mark.parametrize(
    ("params", "violation"),
    [
        ([], ("params", "object", "[]")),
        ({}, ("params.sql", "string (it is required)", "nothing")),
        ({"sql": 1}, ("params.sql", "string", "1")),
        ({"sql": "", "limit": 0}, ("params.limit", "at least 1", "0")),
        ({"sql": "", "limit": True}, ("params.limit", "integer", "True")),
        (
            {"sql": "", "limt": 1},
            (
                "params.limt",
                "sql, limit, rows, when",
                "unknown parameter 'limt', did you mean 'limit'?",
            ),
        ),
        (
            {"sql": "", "a b": 1},
            ("params['a b']", "sql, limit, rows, when", "unknown parameter 'a b'"),
        ),
        ({"sql": "", "rows": {}}, ("params.rows", "array", "{}")),
        ({"sql": "", "rows": [{"name": "a"}, {"name": 2}]}, ("params.rows[1].name", "string", "2")),
        (
            {"sql": "", "rows": [{"nam": ""}]},
            ("params.rows[0].nam", "name", "unknown key 'nam', did you mean 'name'?"),
        ),
        (
            {"sql": "", "rows": [{}]},
            ("params.rows[0].name", "string (it is required)", "nothing"),
        ),
        ({"sql": "", "when": 3}, ("params.when", "date-time or null", "3")),
        ({"sql": "", "when": "soon"}, ("params.when", "date-time or null", "'soon'")),
    ],
)
def test_a_violation_names_the_element_and_what_was_expected(params, violation):
    assert compile_schema(QUERY).check(params) == SchemaViolation(*violation)


def test_a_violation_reads_as_a_sentence():
    violation = compile_schema({"type": "integer"}).check("x", "params.n")
    assert str(violation) == "params.n: expected integer, found 'x'"


@pytest.mark.parametrize("value", ["x" * 10_000, ["x" * 50] * 50, b"x" * 10_000, {"a" * 500: 1}])
def test_what_was_found_is_shown_in_at_most_80_characters(value):
    found = compile_schema({"type": "integer"}).check(value).found
    assert 0 < len(found) <= 80


def test_a_number_too_long_to_show_is_still_told():
    assert "type int" in compile_schema({"type": "string"}).check(1 << 20_000).found


RIGHT = [
    ({}, object()),
    ({"type": "number"}, math.nan),
    ({"type": "number"}, math.inf),
    ({"type": "number"}, 1),
    ({"type": "array"}, (1,)),
    ({"type": "string", "format": "bytes"}, b""),
    ({"type": "string", "format": "bytes"}, bytearray()),
    ({"type": "string", "format": "bytes"}, memoryview(b"")),
    ({"type": "string", "format": "bytes", "maxLength": 2}, memoryview(b"ab")),
    ({"type": "string", "format": "date-time"}, datetime(2024, 1, 1)),
    ({"format": "date-time"}, 3),
    ({"enum": [1]}, 1.0),
    ({"enum": [[1, {"a": None}]]}, [1, {"a": None}]),
    ({"enum": ["a", None]}, None),
    ({"const": "a"}, "a"),
    ({"minimum": 3}, "text"),
    ({"minLength": 3}, 1),
    ({"minItems": 3}, "ab"),
    ({"required": ["a"]}, []),
    ({"items": {"type": "null"}}, {}),
    ({"multipleOf": 0.1}, 0.3),
    ({"multipleOf": 0.1}, 1e300),
    ({"multipleOf": 3}, 9),
    ({"prefixItems": [{"type": "null"}], "items": {"type": "string"}}, [None, "a"]),
    ({"prefixItems": [{"type": "null"}]}, []),
    ({"additionalProperties": {"type": "null"}}, {"a": None}),
    ({"anyOf": [{"minimum": 5}, {"maximum": 1}]}, 0),
]
WRONG = [
    ({"type": "integer"}, True, "integer"),
    ({"type": "integer"}, 1.0, "integer"),
    ({"type": "number"}, False, "number"),
    ({"type": "string"}, b"", "string"),
    ({"type": "string"}, datetime(2024, 1, 1, tzinfo=UTC), "string"),
    ({"type": "string", "format": "bytes"}, "", "bytes"),
    ({"type": "string", "format": "bytes", "minLength": 2}, b"a", "at least 2 characters or bytes"),
    ({"format": "bytes"}, "", "bytes"),
    ({"type": "array"}, {1}, "array"),
    ({"enum": [1]}, True, "1"),
    ({"enum": [True]}, 1, "True"),
    ({"enum": ["a", "b"]}, [], "one of 'a', 'b'"),
    ({"enum": [[1]]}, [True], "[1]"),
    ({"const": {"a": 1}}, {"a": 1, "b": 1}, "{'a': 1}"),
    ({"minimum": 1}, math.nan, "at least 1"),
    ({"exclusiveMinimum": 1}, 1, "more than 1"),
    ({"exclusiveMaximum": 1.5}, 1.5, "less than 1.5"),
    ({"maximum": 1}, 2, "at most 1"),
    ({"multipleOf": 2}, 3, "a multiple of 2"),
    ({"multipleOf": 2}, math.inf, "a multiple of 2"),
    ({"maxItems": 1}, [1, 2], "at most 1 items"),
    ({"type": "array", "items": {"type": "null"}}, 1, "array"),
    ({"type": "object", "required": ["a"]}, 1, "object"),
    ({"type": "integer", "required": ["a"]}, "x", "integer"),
]


@pytest.mark.parametrize(("schema", "value"), RIGHT, ids=told)
def test_a_value_fits(schema, value):
    assert compile_schema(schema).check(value) is None


@pytest.mark.parametrize(("schema", "value", "expected"), WRONG, ids=told)
def test_a_value_does_not_fit(schema, value, expected):
    assert compile_schema(schema).check(value).expected == expected


def test_an_object_that_says_it_equals_everything_fits_no_enum():
    class Yes:
        __hash__ = None

        def __eq__(self, other):
            return True

    assert compile_schema({"enum": [1, "a"]}).check(Yes()) is not None


def test_the_alternative_of_the_right_kind_says_what_is_wrong_inside():
    point = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
    violation = compile_schema({"anyOf": [point, {"type": "null"}]}).check({"x": "a"})
    assert violation == SchemaViolation("params.x", "integer", "'a'")


def test_very_many_names_do_not_make_a_typo_expensive():
    names = {f"parameter_number_{i}_of_very_many": {} for i in range(4_000)}
    compiled = compile_schema({"properties": names, "additionalProperties": False})
    assert timeit.timeit(lambda: compiled.check({"parameter_numbr_1": 1}), number=1) < 0.5


def test_checking_one_integer_takes_a_few_steps():
    compiled = compile_schema(
        {
            "type": "object",
            "properties": {"n": {"type": "integer"}},
            "required": ["n"],
            "additionalProperties": False,
        }
    )
    steps: list[str] = []
    sys.setprofile(lambda frame, event, argument: steps.append(event))
    try:
        compiled.check({"n": 1})
    finally:
        sys.setprofile(None)
    calls = [step for step in steps if step in ("call", "c_call")]
    assert len(calls) <= 8, calls  # seven, the last of which is setprofile


# --- against the jsonschema package

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.floats(-5, 5, width=16),
    st.text("ab", max_size=3),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
COUNTS = st.integers(0, 3)
NUMBERS = st.integers(-5, 5) | st.floats(-5, 5, width=16)
TYPES = ["integer", "number", "string", "boolean", "null", "array", "object"]


def keywords(inner):
    values = {
        "type": st.sampled_from(TYPES),
        "properties": st.dictionaries(NAMES, inner, max_size=3),
        "required": st.lists(NAMES, unique=True, max_size=2),
        "additionalProperties": st.booleans() | inner,
        "items": inner,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
        "minItems": COUNTS,
        "maxItems": COUNTS,
        "anyOf": st.lists(inner, min_size=1, max_size=3),
        "enum": st.lists(VALUES, min_size=1, max_size=4),
        "const": VALUES,
        "minimum": NUMBERS,
        "maximum": NUMBERS,
        "exclusiveMinimum": NUMBERS,
        "exclusiveMaximum": NUMBERS,
        "multipleOf": st.integers(1, 3),
        "minLength": COUNTS,
        "maxLength": COUNTS,
        "title": NAMES,
        "default": VALUES,
    }
    # Few keywords each, or nearly every schema would refuse nearly every value.
    chosen = st.lists(st.sampled_from(list(values)), unique=True, max_size=4)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({one: values[one] for one in names}))


SCHEMAS = st.recursive(
    st.builds(lambda kind: {"type": kind}, st.sampled_from(TYPES)), keywords, max_leaves=5
)
# Time is the machine's: others work on it too.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _is_integer(_checker, value):
    return isinstance(value, int) and not isinstance(value, bool)


# Our agreed difference: 1.0 is no integer.
Peer = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_integer),
)


@unhurried
@given(schema=SCHEMAS, value=VALUES)
def test_we_and_the_jsonschema_package_judge_alike(schema, value):
    ours = compile_schema(schema).check(value) is None
    assert ours == Peer(schema).is_valid(value)


@unhurried
@given(schema=SCHEMAS)
def test_a_compiled_schema_is_the_one_that_was_given(schema):
    assert compile_schema(schema).schema == schema


@unhurried
@given(
    schema=st.recursive(
        SCALARS,
        lambda inner: st.dictionaries(
            st.sampled_from(
                [*TYPES, "type", "items", "anyOf", "enum", "required", "$ref", "minimum"]
            ),
            inner | st.lists(inner, max_size=2),
            max_size=3,
        ),
        max_leaves=6,
    )
)
def test_anything_at_all_is_compiled_or_refused_as_metadata(schema):
    try:
        compile_schema(schema).check({"a": 1})
    except MetadataLoadError as error:
        assert str(error).startswith("schema")
