"""Shapes to JSON Schema (2020-12), in a closed vocabulary.

No `$ref` and no `pattern`: what a plugin supplies is checked by the manager against a value that
someone else supplies, and neither may cost more than its own length. A record inside itself is
`{}` there. `{"type": "string", "format": "bytes"}` is our marker for bytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from nebula_lab.plugin.plain import plain_or_none
from nebula_lab.plugin.shapes import (
    Again,
    Anything,
    Array,
    Choice,
    Either,
    Field,
    Kind,
    Record,
    Refined,
    Row,
    Scalar,
    Shape,
    Table,
)

MAX_DEFAULT_CHARACTERS = 1000
MAX_DEFAULT_DEPTH = 6

_SCALARS: Mapping[Kind, Mapping[str, str]] = MappingProxyType(
    {
        Kind.BYTES: {"type": "string", "format": "bytes"},
        Kind.DATE_TIME: {"type": "string", "format": "date-time"},
    }
)


def schema_of(shape: Shape) -> dict[str, Any]:
    """The schema that a value of this shape meets."""
    return _WRITERS[type(shape)](shape)


def object_schema(
    fields: Iterable[Field], additional: bool | dict[str, Any] = False
) -> dict[str, Any]:
    """The schema of an object with these fields, and `additional` for all others."""
    fields = tuple(fields)
    return {
        "type": "object",
        "properties": {field.name: _property(field) for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": additional,
    }


def _property(field: Field) -> dict[str, Any]:
    schema = schema_of(field.shape)
    if field.description and "description" not in schema:
        schema["description"] = field.description
    if field.has_default:
        schema |= _default(field.default)
    return schema


def _default(value: object) -> dict[str, Any]:
    """The default as a keyword, where it is a small JSON value; a schema is no place for others."""
    plain = plain_or_none(value)
    if value is not None and plain is None:
        return {}
    if not _is_json(plain, MAX_DEFAULT_DEPTH) or len(repr(plain)) > MAX_DEFAULT_CHARACTERS:
        return {}
    return {"default": plain}


def _is_json(value: object, depth: int) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if value is None or isinstance(value, (str, int)):
        return True
    if depth == 0:
        return False
    if isinstance(value, list):
        return all(_is_json(item, depth - 1) for item in value)
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(v, depth - 1) for key, v in value.items())
    return False


def _scalar(shape: Scalar) -> dict[str, Any]:
    return dict(_SCALARS.get(shape.kind) or {"type": shape.kind.value})


def _choice(shape: Choice) -> dict[str, Any]:
    schema: dict[str, Any] = {"enum": list(shape.values)}
    if shape.enum_class is not None:
        schema["title"] = shape.enum_class.__name__
    return schema


def _array(shape: Array) -> dict[str, Any]:
    items = schema_of(shape.item)
    return {"type": "array", "items": items} if items else {"type": "array"}


def _row(shape: Row) -> dict[str, Any]:
    count = len(shape.places)
    places = [schema_of(place) for place in shape.places]
    return {"type": "array", "prefixItems": places, "minItems": count, "maxItems": count}


def _table(shape: Table) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": schema_of(shape.value) or True}


def _record(shape: Record) -> dict[str, Any]:
    schema = object_schema(shape.fields)
    schema["title"] = shape.cls.__name__
    if shape.description:
        schema["description"] = shape.description
    return schema


def _either(shape: Either) -> dict[str, Any]:
    options: list[dict[str, Any]] = []
    for option in map(schema_of, shape.options):
        if not option:  # one option that takes anything takes all
            return {}
        if option not in options:
            options.append(option)
    return options[0] if len(options) == 1 else {"anyOf": options}


def _refined(shape: Refined) -> dict[str, Any]:
    schema = schema_of(shape.shape) | dict(shape.keywords)
    if shape.description:
        schema["description"] = shape.description
    return schema


def _anything(_: Anything | Again) -> dict[str, Any]:
    return {}


_WRITERS: Mapping[type, Callable[[Any], dict[str, Any]]] = MappingProxyType(
    {
        Anything: _anything,
        Again: _anything,
        Scalar: _scalar,
        Choice: _choice,
        Array: _array,
        Row: _row,
        Table: _table,
        Record: _record,
        Either: _either,
        Refined: _refined,
    }
)
