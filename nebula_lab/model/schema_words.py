"""Schemas in a few words, for messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from nebula_lab.plugin.shorten import short_repr

_MAX_LISTED = 8


def in_words(schema: Mapping[str, Any]) -> str:
    """Such as `integer`, `integer or null`, `array of string`, `one of 'a', 'b'`."""
    if "const" in schema:
        return short_repr(schema["const"])
    if "enum" in schema:
        return _enum_in_words(schema["enum"])
    if "anyOf" in schema:
        return _listed(dict.fromkeys(in_words(one) for one in schema["anyOf"]), " or ")
    return _type_in_words(schema)


def names_in_words(names: Iterable[str]) -> str:
    """The names that may be there, the first few of them."""
    return _listed(names) or "no parameters"


def _type_in_words(schema: Mapping[str, Any]) -> str:
    kind = schema.get("format") or schema.get("type")
    if kind is None:
        return "a value"
    if kind == "array" and schema.get("items"):
        return f"array of {_item_in_words(schema['items'])}"
    return str(kind)


def _item_in_words(schema: Mapping[str, Any]) -> str:
    # One level: a message is no place for a whole schema.
    return str(schema.get("format") or schema.get("type") or "values")


def _enum_in_words(values: list[Any]) -> str:
    shown = [short_repr(value, 40) for value in values[: _MAX_LISTED + 1]]
    return f"one of {_listed(shown)}" if len(values) > 1 else shown[0]


def _listed(words: Iterable[str], separator: str = ", ") -> str:
    words = [word if len(word) <= 40 else f"{word[:39]}…" for word in words]
    shown = words[:_MAX_LISTED]
    if len(words) > _MAX_LISTED:
        shown.append("…")
    return separator.join(shown)
