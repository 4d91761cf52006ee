"""Values of plugins as JSON, and back.

JSON has no bytes, no NaN and no dates. They are written like this, and params are read like this:

- bytes: `{"$bytes": "aGVsbG8="}`, in base64
- NaN and the infinities: `{"$float": "NaN"}`, `"Infinity"`, `"-Infinity"`
- a datetime: text in ISO 8601, such as `"2026-11-22T19:21:36+00:00"`
- an array: lists; a table: a list with an object for each row; what JSON lacks in them: text
- an object of the plugin's own that looks like one of these: `{"$object": {...}}` around it
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from nebula_lab.cli.columns import as_lists, is_columnar

# Control, direction and other invisible characters, which JSON allows in texts as they are: a
# plugin must not steer the terminal. Escaped they mean the same to whoever reads the JSON.
_INVISIBLE = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def to_json(value: Any, *, indent: int | None = None) -> str:
    """A result as JSON text; on one line without `indent`."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(
        _plain(value), ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def from_json(text: str) -> Any:
    """A value from JSON text.

    Raises:
        ValueError: it is not JSON, or has a malformed `$bytes`, `$float` or `$object`.
    """
    try:
        return _read(json.loads(text))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _plain(value: Any) -> Any:
    match value:
        case dict():
            plain = {key: _plain(element) for key, element in value.items()}
            return {"$object": plain} if _marker(value) else plain
        case list():
            return [_plain(element) for element in value]
        case bytes():
            return {"$bytes": base64.b64encode(value).decode("ascii")}
        case float() if not math.isfinite(value):
            return {"$float": json.dumps(value)}
        case datetime():
            return value.isoformat()
        case None | bool() | int() | float() | str():
            return value
    return _plain_foreign(value)


def _plain_foreign(value: Any) -> Any:
    if not is_columnar(value):
        return str(value)  # such as a date, a decimal or a complex number out of a table
    lists = as_lists(value)
    return str(value) if type(lists) is type(value) else _plain(lists)


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(element) for element in value]
    if not isinstance(value, dict):
        return value
    marker = _marker(value)
    if marker:
        return _READERS[marker](value[marker])
    return {key: _read(element) for key, element in value.items()}


def _marker(value: Mapping[str, Any]) -> str:
    """The `$` key of an object that stands for something else, or ""."""
    key = next(iter(value), "") if len(value) == 1 else ""
    return key if key in _READERS else ""


def _read_bytes(text: Any) -> bytes:
    if not isinstance(text, str):
        raise ValueError("$bytes: expected text in base64")
    return base64.b64decode(text, validate=True)


def _read_float(text: Any) -> float:
    if text not in ("NaN", "Infinity", "-Infinity"):
        raise ValueError('$float: expected "NaN", "Infinity" or "-Infinity"')
    return float(text)


def _read_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("$object: expected an object")
    return {key: _read(element) for key, element in value.items()}


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "$bytes": _read_bytes,
    "$float": _read_float,
    "$object": _read_object,
}
