"""What a type hint says of a value, as a small tree that schemas and conversions are made from."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Kind(enum.Enum):
    """The values that JSON Schema tells apart, and the two that we add; by our name for them."""

    INTEGER = "integer"
    NUMBER = "number"
    STRING = "string"
    BOOLEAN = "boolean"
    NULL = "null"
    BYTES = "bytes"
    DATE_TIME = "date-time"


@dataclass(frozen=True)
class Anything:
    """No statement: `Any`, a hint that can't be resolved, or a type that we don't know."""


@dataclass(frozen=True)
class Scalar:
    kind: Kind


@dataclass(frozen=True)
class Choice:
    """One of a few values: a `Literal`, or an Enum whose members `enum_class` gives."""

    values: tuple[Any, ...]
    enum_class: type[enum.Enum] | None = None


@dataclass(frozen=True)
class Array:
    """Any number of items; `build` is the Python type to hold them."""

    item: Shape
    build: type


@dataclass(frozen=True)
class Row:
    """A tuple with a shape for each place."""

    places: tuple[Shape, ...]


@dataclass(frozen=True)
class Table:
    """A dict with text for keys."""

    value: Shape


@dataclass(frozen=True)
class Field:
    """One field of a record, or one parameter of an operation."""

    name: str
    shape: Shape
    required: bool
    default: Any = None
    has_default: bool = False
    description: str = ""


@dataclass(frozen=True)
class Record:
    """A dataclass, TypedDict or NamedTuple; `builds` is false for a TypedDict, which is a dict."""

    cls: type
    fields: tuple[Field, ...]
    builds: bool
    description: str = ""


@dataclass(frozen=True)
class Again:
    """A record inside itself."""

    cls: type


@dataclass(frozen=True)
class Either:
    options: tuple[Shape, ...]


@dataclass(frozen=True)
class Refined:
    """A shape with what `Annotated` adds: keywords of JSON Schema and a description."""

    shape: Shape
    keywords: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""


Shape = Anything | Scalar | Choice | Array | Row | Table | Record | Again | Either | Refined
