"""The short ways through a schema's check say yes only where the whole check does."""

from __future__ import annotations

import enum
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nebula_lab.model.schema import compile_schema
from nebula_lab.model.schema_exact import exact_types
from nebula_lab.plugin.plain import is_plain

TYPES = ["string", "integer", "number", "boolean", "null", "array", "object"]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.binary(max_size=3).map(bytearray),
    st.just(datetime(2026, 1, 1, tzinfo=UTC)),
    st.just({1, 2}),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=5,
)


def schemas():
    leaf = st.one_of(
        st.sampled_from([{"type": one} for one in TYPES]),
        st.just({}),
        st.just({"type": "string", "format": "bytes"}),
        st.just({"type": "string", "format": "date-time"}),
        st.just({"type": "integer", "minimum": 2}),
        st.just({"type": "string", "enum": ["a"]}),
        st.just({"type": "number", "title": "N", "default": 1}),
    )
    either = st.lists(leaf, min_size=1, max_size=3).map(lambda options: {"anyOf": options})
    single = leaf | either
    listed = single.map(lambda items: {"type": "array", "items": items})
    bounded = single.map(lambda items: {"type": "array", "items": items, "minItems": 2})
    return single | listed | bounded


PARAMS = st.dictionaries(st.sampled_from("abc"), schemas()).flatmap(
    lambda properties: st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.just(properties)},
        optional={
            "required": st.lists(st.sampled_from("abcd"), unique=True),
            "additionalProperties": st.booleans(),
        },
    )
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schemas(), VALUES)
def test_a_value_of_an_exact_type_fits(schema, value):
    if type(value) in exact_types(schema):
        assert compile_schema(schema).check(value) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(PARAMS, st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4))
def test_params_that_fit_at_one_look_fit_and_are_plain(schema, params):
    compiled = compile_schema(schema)
    if compiled.is_plain_fit(params):
        assert compiled.check(params) is None
        assert is_plain(params)


def test_leaves_and_lists_of_leaves_fit_at_one_look():
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "flags": {"type": "array", "items": {"anyOf": [{"type": "boolean"}, {"type": "null"}]}},
        },
        "required": ["text"],
        "additionalProperties": False,
    }
    assert compile_schema(schema).is_plain_fit({"text": "x", "flags": [True, None]})


@pytest.mark.parametrize(
    "params",
    [{}, {"text": 1}, {"text": "x", "flags": [1]}, {"text": "x", "other": 1}, {"text": ["x"]}],
)
def test_what_does_not_fit_is_left_to_the_whole_check(params):
    schema = {
        "type": "object",
        "properties": {
            "text": {"type": "string"},
            "flags": {"type": "array", "items": {"type": "boolean"}},
        },
        "required": ["text"],
        "additionalProperties": False,
    }
    assert not compile_schema(schema).is_plain_fit(params)


def test_a_key_that_only_equals_a_text_is_left_to_the_whole_check():
    key = enum.StrEnum("Key", {"TEXT": "text"}).TEXT
    schema = {"type": "object", "properties": {"text": {"type": "string"}}}
    assert not compile_schema(schema).is_plain_fit({key: "x"})
