"""Values as JSON text, for sandboxes whose boundary carries text.

What JSON has is itself. Anything else is an object with the key "$", which says what it is:

- {"$": "bytes", "base64": …}, or {"$": "bytes", "file": name} where it is large;
- {"$": "datetime", "iso": …}, with its offset or its lack of one;
- {"$": "number", "text": …} for NaN and the infinities;
- {"$": "array", "of": …, "shape": […], "file": name}, numbers in memory, in C order and in the byte
  order of this machine; "of" is their kind and how many bytes each has: "f8", "i4", "u1", "b1";
- {"$": "dict", "items": {…}} for a dict that has a key "$" itself.

Large content goes by files in a folder that both ends share, each written once and read once.
"""

from __future__ import annotations

import base64
import json
import math
import struct
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from nebula_lab.plugin.plain import is_plain
from nebula_lab.wire.parcel import whole_bytes

TAG = "$"
MAX_DEPTH = 200
# Bytes up to this size are among the text.
MOST_INLINE = 1024
# What an array may have, by the letters of `struct`; the size of some differs between machines.
_KINDS = {
    letter: kind
    for kind, letters in {"b": "?", "i": "bhilq", "u": "BHILQ", "f": "efd"}.items()
    for letter in letters
}
_CODES = {letter: f"{kind}{struct.calcsize(letter)}" for letter, kind in _KINDS.items()}
_LETTERS = {code: letter for letter, code in _CODES.items()}

_MARK = f'"{TAG}"'
# Made once: `json.dumps` and `json.loads` with options make one at each call.
_written = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode

Put = Callable[[memoryview], str]
MakeArray = Callable[[memoryview, list[int]], Any]


class Take(Protocol):
    """Reads a file of the shared folder; where `is_frozen`, nobody will write to what it gives."""

    def __call__(self, name: str, *, is_frozen: bool = False) -> memoryview: ...


class NotTaggedError(TypeError):
    """A value that is not carried.

    Attributes:
        element: path to it, from the root's name on.
        found: what is there.
    """

    def __init__(self, element: str, found: str) -> None:
        super().__init__(f"{element}: {found}")
        self.element = element
        self.found = found


def dumps(value: Any, put: Put | None, name: str = "value") -> str:
    """The text of a value.

    Args:
        value: JSON values, bytes, datetimes, and arrays as views of memory.
        put: writes large content into a file of the shared folder, and gives its name; without,
            all bytes are among the text, and there may be no arrays.
        name: what errors call the root.

    Raises:
        NotTaggedError: something in it is not carried; the error has the path to it.
    """
    if is_plain(value):
        # Nearly all values are, and are written as they are: no walk in Python.
        try:
            text = _written(value)
        except (ValueError, RecursionError):
            pass  # NaN, or deep; what is wrong with it is to be found
        else:
            if _MARK not in text:
                return text
    return _written(_tagged(value, put, name, 0))


def loads(text: str, take: Take, array: MakeArray | None = None) -> Any:
    """The value of a text.

    Args:
        text: as `dumps` gives it; it may be anybody's.
        take: reads a file of the shared folder.
        array: makes an array of its elements in a row and its shape; a view of memory without.

    Raises:
        ValueError: it is no such text.
    """
    try:
        value = _read(text)
        return _untagged(value, take, array or shaped) if _MARK in text else value
    except (RecursionError, TypeError, KeyError, OverflowError) as error:
        raise ValueError(f"text that is no value: {error!r}") from error


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_read = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _tagged(value: Any, put: Put | None, path: str, depth: int) -> Any:
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        return value if math.isfinite(value) else {TAG: "number", "text": repr(value)}
    if depth > MAX_DEPTH:
        raise NotTaggedError(path[:200], f"nested more than {MAX_DEPTH} deep")
    if kind is dict:
        items = {
            _key(key, path): _tagged(element, put, f"{path}.{key}", depth + 1)
            for key, element in value.items()
        }
        return {TAG: "dict", "items": items} if TAG in items else items
    if kind is list or kind is tuple:
        return [_tagged(one, put, f"{path}[{i}]", depth + 1) for i, one in enumerate(value)]
    if kind is datetime:
        return {TAG: "datetime", "iso": value.isoformat()}
    return _tagged_memory(value, put, path)


def _key(key: Any, path: str) -> str:
    if type(key) is not str:
        raise NotTaggedError(path, f"a key of type {type(key).__name__}")
    return key


def _tagged_memory(value: Any, put: Put | None, path: str) -> dict[str, Any]:
    try:
        view = memoryview(value)
    except (TypeError, ValueError):
        kind = type(value)
        name = kind.__qualname__ if kind.__module__ == "builtins" else _full_name(kind)
        raise NotTaggedError(path, name) from None
    is_bytes = type(value) in (bytes, bytearray) or (view.format == "B" and view.ndim == 1)
    if not is_bytes:
        return _tagged_array(view, put, path)
    if put is None or view.nbytes <= MOST_INLINE:
        return {TAG: "bytes", "base64": base64.b64encode(view).decode()}
    return {TAG: "bytes", "file": put(view)}


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _tagged_array(view: memoryview, put: Put | None, path: str) -> dict[str, Any]:
    letter = view.format.lstrip("@=<")
    if put is None or letter not in _CODES:
        raise NotTaggedError(path, f"an array of the format {view.format!r}")
    shape = list(view.shape or ())
    is_flat = view.c_contiguous and 0 not in shape
    flat = view.cast("B") if is_flat else memoryview(view.tobytes())
    return {TAG: "array", "of": _CODES[letter], "shape": shape, "file": put(flat)}


def shaped(elements: memoryview, shape: list[int]) -> memoryview:
    """A view of memory of this shape; what has no elements, or one without a shape, stays a row."""
    if not shape or 0 in shape:
        return elements
    return elements.cast("B").cast(elements.format, shape)  # type: ignore[call-overload,no-any-return]


def _untagged(value: Any, take: Take, array: MakeArray) -> Any:
    kind = type(value)
    if kind is list:
        return [_untagged(one, take, array) for one in value]
    if kind is not dict:
        return value
    tag = value.get(TAG)
    if tag is None:
        return {key: _untagged(one, take, array) for key, one in value.items()}
    if tag == "dict":
        return {key: _untagged(one, take, array) for key, one in value["items"].items()}
    read = _READERS.get(tag) if type(tag) is str else None
    if read is None:
        raise ValueError(f"a value of an unknown kind: {str(tag)[:40]!r}")
    return read(value, take, array)


def _bytes(value: dict[str, Any], take: Take, array: MakeArray) -> bytes:
    if "file" in value:
        return whole_bytes(take(value["file"], is_frozen=True))
    return base64.b64decode(value["base64"], validate=True)


def _datetime(value: dict[str, Any], take: Take, array: MakeArray) -> datetime:
    return datetime.fromisoformat(value["iso"])


def _number(value: dict[str, Any], take: Take, array: MakeArray) -> float:
    if value["text"] not in ("nan", "inf", "-inf"):
        raise ValueError("a number that is no number")
    return float(value["text"])


def _array(value: dict[str, Any], take: Take, array: MakeArray) -> Any:
    letter, shape = _LETTERS[value["of"]], value["shape"]
    if type(shape) is not list or len(shape) > 32:
        raise ValueError("an array of an unknown form")
    if any(type(size) is not int or size < 0 for size in shape):
        raise ValueError("an array of an unknown shape")
    elements: memoryview[Any] = take(value["file"]).cast(letter)  # type: ignore[call-overload]
    if len(elements) != math.prod(shape):
        raise ValueError("an array whose content does not fit its shape")
    return array(elements, shape)


_READERS: dict[str, Callable[[dict[str, Any], Take, MakeArray], Any]] = {
    "bytes": _bytes,
    "datetime": _datetime,
    "number": _number,
    "array": _array,
}
