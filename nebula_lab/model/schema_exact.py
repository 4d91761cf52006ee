"""The types whose values fit a schema whatever they are: for most values, no more need be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

# These say nothing of the value.
_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "deprecated"})
_NOTHING: frozenset[type] = frozenset()
_TEXT = frozenset({str})
_NOT_PLAIN: frozenset[type] = frozenset({bytes, bytearray, memoryview})
_KNOWN = _ANNOTATIONS | {"type", "properties", "required", "additionalProperties"}
_OF_TYPE: Mapping[str, frozenset[type]] = MappingProxyType(
    {
        "string": frozenset({str}),
        "integer": frozenset({int}),
        "number": frozenset({int, float}),
        "boolean": frozenset({bool}),
        "null": frozenset({type(None)}),
    }
)


def exact_types(schema: Mapping[str, Any]) -> frozenset[type]:
    """Types, subclasses apart, all of whose values fit; empty where values must be looked at."""
    words = schema.keys() - _ANNOTATIONS
    if words == {"type"} and isinstance(schema["type"], str):
        return _OF_TYPE.get(schema["type"], _NOTHING)
    if words == {"type", "format"} and (schema["type"], schema["format"]) == ("string", "bytes"):
        return frozenset({bytes, bytearray, memoryview})
    if words == {"anyOf"}:
        return frozenset().union(*(exact_types(option) for option in schema["anyOf"]))
    return _NOTHING


def plain_fit(schema: Mapping[str, Any]) -> Callable[[dict[str, Any]], bool]:
    """What finds at one look that params fit and are made of what msgpack has itself.

    It knows leaves and lists of leaves. Where it says False, the whole check has to be made.
    """
    properties = schema.get("properties", {})
    leaves = {name: exact_types(one) - _NOT_PLAIN for name, one in properties.items()}
    lists = {name: _exact_items(one) for name, one in properties.items() if _is_list(one)}
    required = frozenset(schema.get("required", ()))
    known = schema.keys() <= _KNOWN and schema.get("type", "object") == "object"

    def fits(params: dict[str, Any]) -> bool:
        if not _TEXT.issuperset(map(type, params)):
            return False  # an Enum's member is a text to Python, and none to carry
        for name, value in params.items():
            kind = type(value)
            if kind is list:
                if name not in lists or not lists[name].issuperset(map(type, value)):
                    return False
            elif kind not in leaves.get(name, _NOTHING):
                return False
        return required <= params.keys()

    return fits if known else lambda params: False


def _is_list(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "array" and schema.keys() - _ANNOTATIONS == {"type", "items"}


def _exact_items(schema: Mapping[str, Any]) -> frozenset[type]:
    return exact_types(schema["items"]) - _NOT_PLAIN
