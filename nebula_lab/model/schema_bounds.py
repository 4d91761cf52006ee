"""The keywords that bound numbers and lengths; each speaks of its own kind of value only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from nebula_lab.model.schema_mismatch import Check, Mismatch


def bound_checks(schema: Mapping[str, Any]) -> Iterable[Check]:
    """A check for each bound that a schema has."""
    for keyword, (keeps, word) in _OF_NUMBERS.items():
        if keyword in schema:
            yield _number_check(keeps, schema[keyword], f"{word} {schema[keyword]!r}")
    for keyword, (measure, is_least, unit) in _OF_LENGTHS.items():
        if keyword in schema:
            yield _length_check(measure, is_least, schema[keyword], unit)


def _number_check(keeps: Callable[[float, float], bool], bound: float, expected: str) -> Check:
    def check(value: object) -> Mismatch | None:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return None
        return None if keeps(value, bound) else Mismatch(expected, value)

    return check


def _length_check(
    measure: Callable[[object], int | None], is_least: bool, bound: int, unit: str
) -> Check:
    expected = f"at {'least' if is_least else 'most'} {bound} {unit}"

    def check(value: object) -> Mismatch | None:
        length = measure(value)
        if length is None:
            return None
        fits = length >= bound if is_least else length <= bound
        return None if fits else Mismatch(expected, value, f"{length}")

    return check


def _is_multiple(value: float, step: float) -> bool:
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    if value != value or value in (float("inf"), float("-inf")):
        return False
    # As the numbers are written: 0.3 is a multiple of 0.1, though their binary forms are not.
    return _as_written(value) % _as_written(step) == 0


def _as_written(value: float) -> Fraction:
    return Fraction(value) if isinstance(value, int) else Fraction(repr(value))


def _text_length(value: object) -> int | None:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return memoryview(value).nbytes
    return None


def _item_count(value: object) -> int | None:
    return len(value) if isinstance(value, (list, tuple)) else None


_OF_NUMBERS: Mapping[str, tuple[Callable[[float, float], bool], str]] = MappingProxyType(
    {
        "minimum": (lambda value, bound: value >= bound, "at least"),
        "maximum": (lambda value, bound: value <= bound, "at most"),
        "exclusiveMinimum": (lambda value, bound: value > bound, "more than"),
        "exclusiveMaximum": (lambda value, bound: value < bound, "less than"),
        "multipleOf": (_is_multiple, "a multiple of"),
    }
)
_OF_LENGTHS: Mapping[str, tuple[Callable[[object], int | None], bool, str]] = MappingProxyType(
    {
        "minLength": (_text_length, True, "characters or bytes"),
        "maxLength": (_text_length, False, "characters or bytes"),
        "minItems": (_item_count, True, "items"),
        "maxItems": (_item_count, False, "items"),
    }
)
