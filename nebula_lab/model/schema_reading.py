"""Reads a schema from a plugin: a copy in the closed vocabulary, or the fault in it.

Each limit answers an attack: the size one that would cost memory in every notebook that shows it,
the depth one that would exhaust the stack of whoever walks it, the vocabulary `pattern` (which can
take exponential time) and `$ref` (which can make a schema without end).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nebula_lab.errors import nearest_names
from nebula_lab.plugin.shorten import path_step, short_repr

TYPES = ("integer", "number", "string", "boolean", "null", "array", "object")
FORMATS = ("bytes", "date-time")
_MAX_INTEGER_BITS = 4096


class SchemaFault(Exception):  # noqa: N818 - turned into MetadataLoadError at the boundary
    """Something in a schema that may not be there."""

    def __init__(self, element: str, problem: str, hint: str | None = None) -> None:
        super().__init__(f"{element}: {problem}")
        self.hint = hint


def read_schema(schema: object, *, max_bytes: int, max_depth: int) -> dict[str, Any]:
    """A deep copy of a schema, every part of it checked.

    Raises:
        SchemaFault: the first part that may not be there.
    """
    return _Reader(max_bytes, max_depth).schema(schema, "schema", 1)


class _Reader:
    def __init__(self, max_bytes: int, max_depth: int) -> None:
        self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._bytes = 0

    def schema(self, schema: object, at: str, depth: int) -> dict[str, Any]:
        if not isinstance(schema, dict):
            raise SchemaFault(at, f"a schema is an object, not {short_repr(schema)}")
        self._enter(at, depth)
        copy: dict[str, Any] = {}
        for keyword, value in schema.items():
            read = _KEYWORDS.get(keyword) if isinstance(keyword, str) else None
            if read is None:
                raise _unknown_keyword(at, keyword)
            self._spend(len(keyword) + 4, at)
            copy[keyword] = read(self, value, f"{at}.{keyword}", depth)
        return copy

    def _enter(self, at: str, depth: int) -> None:
        if depth > self._max_depth:
            raise SchemaFault(at, f"more than {self._max_depth} levels deep")
        self._spend(2, at)

    def _spend(self, count: int, at: str) -> None:
        self._bytes += count
        if self._bytes > self._max_bytes:
            raise SchemaFault(at, f"the schema is longer than {self._max_bytes} bytes here")

    def text(self, value: object, at: str, depth: int) -> str:
        if not isinstance(value, str):
            raise SchemaFault(at, f"must be text, not {short_repr(value)}")
        # Characters first: encoding a text that is too long is itself what the limit is against.
        self._spend(len(value), at)
        self._spend(len(value.encode("utf-8", "surrogatepass")) - len(value) + 3, at)
        return str(value)

    def type(self, value: object, at: str, depth: int) -> str:
        return _one_of(TYPES, value, at)

    def format(self, value: object, at: str, depth: int) -> str:
        return _one_of(FORMATS, value, at)

    def number(self, value: object, at: str, depth: int) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise SchemaFault(at, f"must be a number, not {short_repr(value)}")
        return self._number(value, at)

    def step(self, value: object, at: str, depth: int) -> float:
        number = self.number(value, at, depth)
        if number <= 0:
            raise SchemaFault(at, f"must be above 0, not {short_repr(value)}")
        return number

    def count(self, value: object, at: str, depth: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise SchemaFault(at, f"must be a whole number from 0 up, not {short_repr(value)}")
        self._number(value, at)
        return value

    def _number(self, value: float, at: str) -> float:
        if isinstance(value, float) and not math.isfinite(value):
            raise SchemaFault(at, f"must be finite, not {value}")
        # Beyond this, turning the number to text for a message takes noticeable time or fails.
        if isinstance(value, int) and value.bit_length() > _MAX_INTEGER_BITS:
            raise SchemaFault(at, f"an integer of more than {_MAX_INTEGER_BITS} bits")
        self._spend(len(repr(value)) + 1, at)
        return value

    def schemas(self, value: object, at: str, depth: int) -> list[dict[str, Any]]:
        return [
            self.schema(one, f"{at}[{index}]", depth + 1)
            for index, one in enumerate(self._filled_list(value, at))
        ]

    def below(self, value: object, at: str, depth: int) -> dict[str, Any]:
        return self.schema(value, at, depth + 1)

    def below_or_bool(self, value: object, at: str, depth: int) -> dict[str, Any] | bool:
        return value if isinstance(value, bool) else self.schema(value, at, depth + 1)

    def properties(self, value: object, at: str, depth: int) -> dict[str, dict[str, Any]]:
        if not isinstance(value, dict):
            raise SchemaFault(at, f"must be an object of schemas, not {short_repr(value)}")
        return {
            self.text(name, f"{at}: the name {short_repr(name)}", depth): self.schema(
                one, f"{at}{path_step(name)}", depth + 1
            )
            for name, one in value.items()
        }

    def names(self, value: object, at: str, depth: int) -> list[str]:
        if not isinstance(value, list):
            raise SchemaFault(at, f"must be a list of names, not {short_repr(value)}")
        names = [self.text(one, f"{at}[{index}]", depth) for index, one in enumerate(value)]
        if len(set(names)) < len(names):
            raise SchemaFault(at, "names something twice")
        return names

    def values(self, value: object, at: str, depth: int) -> list[Any]:
        return [
            self.value(one, f"{at}[{index}]", 1)
            for index, one in enumerate(self._filled_list(value, at))
        ]

    def _filled_list(self, value: object, at: str) -> list[Any]:
        if not isinstance(value, list) or not value:
            raise SchemaFault(at, f"must be a list that is not empty, not {short_repr(value)}")
        return value

    def constant(self, value: object, at: str, depth: int) -> Any:
        return self.value(value, at, 1)

    def value(self, value: object, at: str, depth: int) -> Any:
        """A copy of a JSON value, which `default`, `enum` and `const` hold."""
        if value is None or isinstance(value, bool):
            self._spend(6, at)
            return value
        if isinstance(value, str):
            return self.text(value, at, depth)
        if isinstance(value, (int, float)):
            return self._number(value, at)
        self._enter(at, depth)
        if isinstance(value, list):
            return [self.value(one, f"{at}[{i}]", depth + 1) for i, one in enumerate(value)]
        if isinstance(value, dict):
            return {
                self.text(key, f"{at}: the key {short_repr(key)}", depth): self.value(
                    one, f"{at}{path_step(key)}", depth + 1
                )
                for key, one in value.items()
            }
        raise SchemaFault(at, f"must be a JSON value, not {short_repr(value)}")


_KEYWORDS: Mapping[str, Callable[[_Reader, object, str, int], Any]] = MappingProxyType(
    {
        "type": _Reader.type,
        "properties": _Reader.properties,
        "required": _Reader.names,
        "additionalProperties": _Reader.below_or_bool,
        "items": _Reader.below,
        "prefixItems": _Reader.schemas,
        "minItems": _Reader.count,
        "maxItems": _Reader.count,
        "anyOf": _Reader.schemas,
        "enum": _Reader.values,
        "const": _Reader.constant,
        "minimum": _Reader.number,
        "maximum": _Reader.number,
        "exclusiveMinimum": _Reader.number,
        "exclusiveMaximum": _Reader.number,
        "multipleOf": _Reader.step,
        "minLength": _Reader.count,
        "maxLength": _Reader.count,
        "format": _Reader.format,
        "title": _Reader.text,
        "description": _Reader.text,
        "default": _Reader.constant,
    }
)


def _one_of(words: tuple[str, ...], value: object, at: str) -> str:
    if not isinstance(value, str) or value not in words:
        raise SchemaFault(at, f"must be one of {', '.join(words)}, not {short_repr(value)}")
    return value


def _unknown_keyword(at: str, keyword: object) -> SchemaFault:
    near = nearest_names(keyword, _KEYWORDS, 1) if isinstance(keyword, str) else []
    hint = f"Did you mean {near[0]!r}?" if near else f"Known are {', '.join(_KEYWORDS)}."
    return SchemaFault(at, f"unknown keyword {short_repr(keyword)}", hint)
