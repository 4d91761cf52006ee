"""What stands beside the type in `Annotated`: bounds and descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, cast

from nebula_lab.plugin.bounds import Bounds, is_count, is_finite_number
from nebula_lab.plugin.shapes import (
    Anything,
    Array,
    Either,
    Kind,
    Refined,
    Row,
    Scalar,
    Shape,
)

_OF_NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        "ge": "minimum",
        "le": "maximum",
        "gt": "exclusiveMinimum",
        "lt": "exclusiveMaximum",
        "multiple_of": "multipleOf",
    }
)
_KEYWORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "number": _OF_NUMBERS,
        "text": {"min_length": "minLength", "max_length": "maxLength"},
        "array": {"min_length": "minItems", "max_length": "maxItems"},
    }
)
_FAMILY_OF_KIND = MappingProxyType(
    {
        Kind.INTEGER: "number",
        Kind.NUMBER: "number",
        Kind.STRING: "text",
        Kind.BYTES: "text",
    }
)


def refine(shape: Shape, extras: Iterable[object]) -> Shape:
    """A shape with the extras of an `Annotated` that mean something to us.

    A text is the description. Bounds are ours or any object that has their attributes, such as
    those of the annotated-types package.

    Raises:
        ValueError: one of our own `Bounds` says nothing about values of this shape; a foreign
            object that does is let be, since others may read it in their own way.
    """
    keywords: dict[str, Any] = {}
    description = ""
    families = families_of(shape)
    for extra in extras:
        for attribute, bound in _bounds(extra):
            said = _keywords(attribute, bound, families)
            if not said and isinstance(extra, Bounds):
                raise ValueError(f"{extra!r}: {attribute} says nothing about values of this type")
            keywords |= said
        description = description or _description(extra)
    return Refined(shape, keywords, description) if keywords or description else shape


def families_of(shape: Shape) -> frozenset[str]:
    """Which bounds say something about a shape: those of `number`, `text`, `array`."""
    if isinstance(shape, Anything):
        return frozenset(_KEYWORDS)
    if isinstance(shape, Scalar):
        family = _FAMILY_OF_KIND.get(shape.kind)
        return frozenset({family}) if family else frozenset()
    if isinstance(shape, Array | Row):
        return frozenset({"array"})
    if isinstance(shape, Either):
        return frozenset().union(*map(families_of, shape.options))
    if isinstance(shape, Refined):
        return families_of(shape.shape)
    return frozenset()


def _bounds(extra: object) -> list[tuple[str, float]]:
    numbers = [(name, getattr(extra, name, None)) for name in _OF_NUMBERS]
    lengths = [(name, getattr(extra, name, None)) for name in ("min_length", "max_length")]
    said = [item for item in numbers if is_finite_number(item[1])]
    said += [item for item in lengths if is_count(item[1])]
    return cast("list[tuple[str, float]]", said)


def _keywords(attribute: str, bound: float, families: frozenset[str]) -> dict[str, float]:
    return {
        names[attribute]: bound
        for family, names in _KEYWORDS.items()
        if family in families and attribute in names
    }


def _description(extra: object) -> str:
    if isinstance(extra, str):
        return extra
    text = getattr(extra, "documentation", None)  # typing_extensions.Doc of PEP 727
    return text if isinstance(text, str) else ""
