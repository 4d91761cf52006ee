"""The keywords `type` and `format`, which together say of what kind a value is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from nebula_lab.model.schema_mismatch import Check, Mismatch

_BYTES = (bytes, bytearray, memoryview)


def kind_checks(schema: Mapping[str, Any]) -> Iterable[Check]:
    """The check for the kind of value that a schema asks for, where it does."""
    kind, form = schema.get("type"), schema.get("format")
    if kind == "string" and form is not None:
        yield _kind_check(_FITS_FORMAT[form], form)
    elif kind is not None:
        yield _QUICK.get(kind) or _kind_check(_FITS_TYPE[kind], kind)
    elif form is not None:
        # Without a type, a format speaks of texts and what stands for them, and of nothing else.
        fits = _FITS_FORMAT[form]
        yield _kind_check(lambda value: not _is_texty(value) or fits(value), form)


def _kind_check(fits: Callable[[object], bool], word: str) -> Check:
    return lambda value: None if fits(value) else Mismatch(word, value)


def _check_integer(value: object) -> Mismatch | None:
    if type(value) is int or (isinstance(value, int) and not isinstance(value, bool)):
        return None
    return Mismatch("integer", value)


def _check_string(value: object) -> Mismatch | None:
    return None if isinstance(value, str) else Mismatch("string", value)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_texty(value: object) -> bool:
    return isinstance(value, (str, datetime, *_BYTES))


def _is_date_time(value: object) -> bool:
    if isinstance(value, datetime):
        return True
    if not isinstance(value, str):
        return False
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


_QUICK: Mapping[str, Check] = MappingProxyType({"integer": _check_integer, "string": _check_string})
_FITS_TYPE: Mapping[str, Callable[[object], bool]] = MappingProxyType(
    {
        "number": _is_number,
        "boolean": lambda value: isinstance(value, bool),
        "null": lambda value: value is None,
        "array": lambda value: isinstance(value, (list, tuple)),
        "object": lambda value: isinstance(value, dict),
    }
)
_FITS_FORMAT: Mapping[str, Callable[[object], bool]] = MappingProxyType(
    {"bytes": lambda value: isinstance(value, _BYTES), "date-time": _is_date_time}
)
