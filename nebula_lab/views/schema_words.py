"""A JSON Schema in the few words that fit in a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nebula_lab.plugin.shorten import short_repr

MAX_DEPTH = 4
MAX_CHOICES = 6

_NAMES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "object": "dict",
    "array": "list",
}
_FORMATS = {"bytes": "bytes", "date-time": "datetime"}
_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
}


def type_words(schema: Mapping[str, Any], depth: int = 0) -> str:
    """Such as `int ≥ 1`, `list of str`, `'asc' or 'desc'`, `str or None`."""
    if depth > MAX_DEPTH:
        return "…"
    if "const" in schema:
        return short_repr(schema["const"], 40)
    if "enum" in schema:
        return _choices([short_repr(one, 40) for one in schema["enum"]])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return _choices([type_words(one, depth + 1) for one in schema[key]])
    kind = schema.get("type")
    if isinstance(kind, list | tuple):
        return _choices([type_words({**schema, "type": one}, depth + 1) for one in kind])
    return _named(schema, kind, depth)


def _named(schema: Mapping[str, Any], kind: Any, depth: int) -> str:
    if kind is None:
        return "any"
    if kind == "array" and isinstance(schema.get("items"), Mapping) and schema["items"]:
        return f"list of {type_words(schema['items'], depth + 1)}"
    name = _FORMATS.get(str(schema.get("format"))) or _NAMES.get(kind, str(kind))
    bounds = [text.format(schema[key]) for key, text in _BOUNDS.items() if key in schema]
    return " ".join([name, *bounds])


def _choices(words: list[str]) -> str:
    unique = list(dict.fromkeys(words))
    shown = unique[:MAX_CHOICES]
    return " or ".join([*shown, "…"] if len(unique) > MAX_CHOICES else shown)
