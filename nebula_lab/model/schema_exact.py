"""The types whose values fit a schema whatever they are: for most values, no more need be asked."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

# These say nothing of the value.
_ANNOTATIONS = frozenset({"title", "description", "default", "examples", "deprecated"})
_NOTHING: frozenset[type] = frozenset()
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
    """Types, subclasses not meant, all of whose values fit; empty where values must be looked at."""
    words = schema.keys() - _ANNOTATIONS
    if words == {"type"} and isinstance(schema["type"], str):
        return _OF_TYPE.get(schema["type"], _NOTHING)
    if words == {"type", "format"} and (schema["type"], schema["format"]) == ("string", "bytes"):
        return frozenset({bytes, bytearray, memoryview})
    if words == {"anyOf"}:
        return frozenset().union(*(exact_types(option) for option in schema["anyOf"]))
    return _NOTHING
