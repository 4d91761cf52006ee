"""What a call was made with, on one line: names, types and sizes, and values that are short.

It goes into errors, events and logs, so it is bounded however large the params are, and what a
name says is a secret is not shown.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from nebula_lab.plugin.safe_text import line

_LIMIT = 500  # characters in all
_MOST_NAMES = 12
_SHORT = 40  # characters of a value
_SECRET = re.compile(r"pass|secret|token|credential|api_?key|private|auth|cookie", re.IGNORECASE)


def summary(params: Mapping[str, Any]) -> str:
    """Params as `name=value, …`."""
    shown = itertools.islice(params.items(), _MOST_NAMES)
    return line(", ".join(_entries(shown, len(params))), _LIMIT)


def _entries(shown: Iterator[tuple[Any, Any]], count: int) -> Iterator[str]:
    for name, value in shown:
        is_secret = _SECRET.search(name) if isinstance(name, str) else None
        yield f"{line(name, _SHORT)}={_kind(value) if is_secret else _value(value)}"
    if count > _MOST_NAMES:
        yield f"… {count - _MOST_NAMES} more"


def _value(value: Any) -> str:
    show = _SHOWN.get(type(value))
    if show is None:
        return _kind(value)
    text = show(value)
    return text if len(text) <= _SHORT else _kind(value)


def _text(value: str) -> str:
    # Not the `repr` of a text of megabytes.
    return repr(value) if len(value) <= _SHORT else " " * (_SHORT + 1)


def _whole_number(value: int) -> str:
    return repr(value) if value.bit_length() <= 4 * _SHORT else " " * (_SHORT + 1)


# Types whose `repr` is the value's own and short; those of others may run anybody's code.
_SHOWN: dict[type, Callable[[Any], str]] = {
    type(None): repr,
    bool: repr,
    int: _whole_number,
    float: repr,
    str: _text,
    datetime.datetime: repr,
    datetime.date: repr,
}


def _kind(value: Any) -> str:
    """A type, with its size where it has one."""
    name = type(value).__name__
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):  # arrays and tables
        kind = getattr(value, "dtype", "")
        return f"<{name} {'×'.join(map(str, shape[:8]))} {line(kind, _SHORT)}".rstrip() + ">"
    if isinstance(value, _SIZED):
        return f"<{name} of {len(value):,}>"
    return f"<{name}>"


_SIZED = (str, bytes, bytearray, memoryview, list, tuple, dict, set, frozenset)
