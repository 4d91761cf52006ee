"""The values that cross a sandbox: JSON, bytes, NaN and infinities, datetimes. Never pickle.

msgspec by itself would quietly turn sets into lists and timedeltas into text, so the tree is
walked first, and what is not carried is refused with the path to it. A tuple arrives as a list,
as it would through JSON. Integers may be of any size; a datetime keeps its offset, or its lack of
one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

import msgspec

from nebula_lab.plugin.plain import is_plain
from nebula_lab.wire.errors import RemoteProtocolError, ValueNotSupportedError

MAX_DEPTH = 200
_DATETIME, _BIG_INTEGER = 1, 2
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**64 - 1
# Text of a larger integer than this would cost a receiver quadratic time to read.
_MAX_INTEGER_BYTES = 4096
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PLAIN = frozenset({str, float, bool, type(None), bytes})

NULL = msgspec.Raw(b"\xc0")


def _read_extension(code: int, data: memoryview) -> Any:
    if code == _DATETIME:
        return datetime.fromisoformat(bytes(data).decode("ascii"))
    if code == _BIG_INTEGER and len(data) <= _MAX_INTEGER_BYTES:
        return int.from_bytes(data, "big", signed=True)
    raise ValueError(f"unknown extension type {code}")


_encoder = msgspec.msgpack.Encoder()
_encode = _encoder.encode
_decoder = msgspec.msgpack.Decoder(ext_hook=_read_extension)


def encode_value(value: Any, name: str = "value") -> msgspec.Raw:
    """Encode a value; `name` is what error messages call its root.

    Raises:
        ValueNotSupportedError: something in it is not carried; the error has the path to it.
    """
    return encode_plain(value, name) if is_plain(value) else _encode_carried(value, name)


def encode_plain(value: Any, name: str = "value") -> msgspec.Raw:
    """`encode_value`, of what `is_plain` has found plain.

    Raises:
        ValueNotSupportedError: it has text that UTF-8 has no bytes for.
    """
    try:
        return msgspec.Raw(_encode(value))
    except (OverflowError, UnicodeEncodeError):
        # A large integer is carried all the same, and bad text is to be found.
        return _encode_carried(value, name)


def _encode_carried(value: Any, name: str) -> msgspec.Raw:
    carried = _carried(value, 0, _Path(name))
    try:
        return msgspec.Raw(_encode(carried))
    except UnicodeEncodeError:
        raise ValueNotSupportedError(
            _path_of_bad_text(carried, name), "text with half a pair of surrogates"
        ) from None


def decode_value(raw: msgspec.Raw) -> Any:
    """The value that `encode_value` was given.

    Raises:
        RemoteProtocolError: the bytes are not an encoded value.
    """
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise RemoteProtocolError(f"bytes that are no value: {error}") from error


class _Path:
    """Where in a value we are; the text is made only when somebody asks."""

    __slots__ = ("keys", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: list[Any] = []

    def __str__(self) -> str:
        return self.name + "".join(_step(key) for key in self.keys)


def _step(key: Any) -> str:
    if isinstance(key, str):
        return f".{key}" if _IDENTIFIER.match(key) else f"[{key!r}]"
    return f"[{key}]"


def _carried(value: Any, depth: int, path: _Path) -> Any:
    """`value`, or a copy in which what msgpack lacks is an extension."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    convert = _CONVERTERS.get(kind)
    if convert is None:
        raise ValueNotSupportedError(str(path), _type_name(kind))
    return convert(value, depth, path)


def _carried_dict(value: dict[Any, Any], depth: int, path: _Path) -> dict[str, Any]:
    _check_depth(depth, path)
    result = value
    for key, element in value.items():
        if type(key) is not str:
            raise ValueNotSupportedError(str(path), f"a key of type {_type_name(type(key))}")
        if type(element) in _PLAIN:
            continue
        path.keys.append(key)
        carried = _carried(element, depth + 1, path)
        path.keys.pop()
        if carried is not element:
            if result is value:
                result = dict(value)
            result[key] = carried
    return result


def _carried_list(value: list[Any], depth: int, path: _Path) -> list[Any]:
    _check_depth(depth, path)
    result = value
    for index, element in enumerate(value):
        if type(element) in _PLAIN:
            continue
        path.keys.append(index)
        carried = _carried(element, depth + 1, path)
        path.keys.pop()
        if carried is not element:
            if result is value:
                result = list(value)
            result[index] = carried
    return result


def _carried_tuple(value: tuple[Any, ...], depth: int, path: _Path) -> list[Any]:
    return _carried_list(list(value), depth, path)


def _carried_int(value: int, depth: int, path: _Path) -> Any:
    if _MIN_INTEGER <= value <= _MAX_INTEGER:
        return value
    size = value.bit_length() // 8 + 1
    if size > _MAX_INTEGER_BYTES:
        raise ValueNotSupportedError(str(path), f"an integer of {size:,} bytes")
    return msgspec.msgpack.Ext(_BIG_INTEGER, value.to_bytes(size, "big", signed=True))


def _carried_datetime(value: datetime, depth: int, path: _Path) -> Any:
    return msgspec.msgpack.Ext(_DATETIME, value.isoformat().encode("ascii"))


def _carried_bytes(value: bytearray | memoryview, depth: int, path: _Path) -> bytes:
    return bytes(value)


def _path_of_bad_text(value: Any, path: str) -> str:
    """The path to the text that UTF-8 has no bytes for; looked for only once it is there."""
    elements: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        if any(not _is_utf8(key) for key in value):
            return path
        elements = value.items()
    elif isinstance(value, list):
        elements = enumerate(value)
    for key, element in elements:
        if not _is_utf8(element):
            return _path_of_bad_text(element, path + _step(key))
    return path


def _is_utf8(value: Any) -> bool:
    try:
        _encoder.encode(value)
    except UnicodeEncodeError:
        return False
    return True


def _check_depth(depth: int, path: _Path) -> None:
    if depth >= MAX_DEPTH:
        raise ValueNotSupportedError(
            f"{path.name}{''.join(_step(key) for key in path.keys[:3])}…",
            f"nested more than {MAX_DEPTH} deep",
        )


def _type_name(kind: type) -> str:
    if kind.__module__ in ("builtins", "datetime"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


_CONVERTERS: dict[type, Callable[[Any, int, _Path], Any]] = {
    dict: _carried_dict,
    list: _carried_list,
    tuple: _carried_tuple,
    int: _carried_int,
    datetime: _carried_datetime,
    bytearray: _carried_bytes,
    memoryview: _carried_bytes,
}
