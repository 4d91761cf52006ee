"""Conversions of single values, one for each kind."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nebula_lab.plugin.mismatch import Mismatch
from nebula_lab.plugin.shapes import Kind

Converter = Callable[[Any], Any]


def _integer(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise Mismatch("integer", value)


def _number(value: object) -> float:
    if isinstance(value, float):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise Mismatch("number within a float's range", value) from None
    raise Mismatch("number", value)


def _string(value: object) -> str:
    if isinstance(value, str):
        return value
    raise Mismatch("string", value)


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise Mismatch("boolean", value)


def _null(value: object) -> None:
    if value is not None:
        raise Mismatch("null", value)


def _bytes(value: object) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise Mismatch("bytes", value)


def _date_time(value: object) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, str):
        try:
            return datetime.datetime.fromisoformat(value)
        except ValueError:
            pass
    raise Mismatch("date-time", value)


SCALARS: Mapping[Kind, Converter] = MappingProxyType(
    {
        Kind.INTEGER: _integer,
        Kind.NUMBER: _number,
        Kind.STRING: _string,
        Kind.BOOLEAN: _boolean,
        Kind.NULL: _null,
        Kind.BYTES: _bytes,
        Kind.DATE_TIME: _date_time,
    }
)

# What each converter gives back as it is, and what else it takes; subclasses apart.
UNCHANGED: Mapping[Kind, frozenset[type]] = MappingProxyType(
    {
        Kind.INTEGER: frozenset({int}),
        Kind.NUMBER: frozenset({float}),
        Kind.STRING: frozenset({str}),
        Kind.BOOLEAN: frozenset({bool}),
        Kind.NULL: frozenset({type(None)}),
        Kind.BYTES: frozenset({bytes}),
        Kind.DATE_TIME: frozenset({datetime.datetime}),
    }
)
TAKEN: Mapping[Kind, frozenset[type]] = MappingProxyType(
    {
        **UNCHANGED,
        Kind.NUMBER: frozenset({float, int}),
        Kind.BYTES: frozenset({bytes, bytearray, memoryview}),
        Kind.DATE_TIME: frozenset({datetime.datetime, str}),
    }
)
