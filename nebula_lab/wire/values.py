"""The values that cross a sandbox: JSON, bytes, NaN and infinities, datetimes, arrays, tables.

Never pickle. msgspec by itself would quietly turn sets into lists and timedeltas into text, so the
tree is walked first, and what is not carried is refused with the path to it. A tuple arrives as a
list, as it would through JSON. Integers may be of any size; a datetime keeps its offset, or its
lack of one. What is from numpy, pandas, polars or Arrow is for `nebula_lab.wire.carriers`, and
what is large becomes an attachment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from nebula_lab.plugin.plain import is_plain
from nebula_lab.wire.carriers import carrier_of, reader_of
from nebula_lab.wire.carrying import BIG_INTEGER, BYTES, DATETIME, Arrival, NotCarriedError
from nebula_lab.wire.encoded import EncodedValue
from nebula_lab.wire.errors import (
    LibraryMissingError,
    RemoteProtocolError,
    ValueNotSupportedError,
)
from nebula_lab.wire.parcel import THRESHOLD, Attachment, Delivery, Parcel
from nebula_lab.wire.scanning import refuse_bombs

MAX_DEPTH = 200
_MIN_INTEGER, _MAX_INTEGER = -(2**63), 2**64 - 1
# Text of a larger integer than this would cost a receiver quadratic time to read.
_MAX_INTEGER_BYTES = 4096
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NATIVE = frozenset("bBcChHiIlLqQfd?")
_PLAIN = frozenset({str, float, bool, type(None)})
# Many arrays that are small one by one would fill a frame together: what exceeds this inline goes
# beside the message too, unless it is tiny.
_MAX_INLINE = 4 * 1024 * 1024
_TINY = 4 * 1024

NULL = msgspec.Raw(b"\xc0")


def _read_extension(arrival: Arrival, code: int, data: memoryview) -> Any:
    if code == DATETIME:
        return datetime.fromisoformat(bytes(data).decode("ascii"))
    if code == BIG_INTEGER and len(data) <= _MAX_INTEGER_BYTES:
        return int.from_bytes(data, "big", signed=True)
    read = reader_of(code)
    if read is None:
        raise ValueError(f"unknown extension type {code}")
    return read(data, arrival)


def _decoder_for(arrival: Arrival) -> Callable[[Any], Any]:
    """What decodes values of one origin.

    msgspec takes any value as a key. Tuples and numbers can be made to have one hash, and then a
    dict of them takes time with the square of its size, in which no other thread runs; so what a
    plugin sends is read by a library that takes no keys but text.
    """
    read = partial(_read_extension, arrival)
    if arrival.is_trusted:
        return msgspec.msgpack.Decoder(ext_hook=read).decode
    return partial(_decode_from_host, read)


def _decode_from_host(read: Callable[[int, Any], Any], raw: Any) -> Any:
    import ormsgpack  # a plugin's environment need not have it

    data = memoryview(raw)
    refuse_bombs(data)
    failed: list[BaseException] = []

    def extension(code: int, content: bytes) -> Any:
        try:
            return read(code, memoryview(content))
        except BaseException as error:
            failed.append(error)  # which the library would not pass on
            raise

    try:
        return ormsgpack.unpackb(data, ext_hook=extension)
    except ValueError:
        if failed:
            raise failed[0] from None
        raise


_encoder = msgspec.msgpack.Encoder()
_encode = _encoder.encode
_decode = _decoder_for(Arrival(is_frozen=False, is_trusted=False))
_decode_frozen = _decoder_for(Arrival(is_frozen=True, is_trusted=True))


def encode_value(value: Any, name: str = "value") -> msgspec.Raw | Parcel:
    """Encode a value; `name` is what error messages call its root.

    Returns:
        The bytes; with what is too large to be among them, where there is such a thing.

    Raises:
        ValueNotSupportedError: something in it is not carried; the error has the path to it.
    """
    return encode_plain(value, name) if is_plain(value) else _encode_carried(value, name)


def encode_plain(value: Any, name: str = "value") -> msgspec.Raw | Parcel:
    """`encode_value`, of what `is_plain` has found plain.

    Raises:
        ValueNotSupportedError: it has text that UTF-8 has no bytes for.
    """
    try:
        return msgspec.Raw(_encode(value))
    except (OverflowError, UnicodeEncodeError):
        # A large integer is carried all the same, and bad text is to be found.
        return _encode_carried(value, name)


def _encode_carried(value: Any, name: str) -> msgspec.Raw | Parcel:
    walk = _Walk(name)
    carried = _carried(value, 0, walk)
    try:
        raw = msgspec.Raw(_encode(carried))
    except UnicodeEncodeError:
        raise ValueNotSupportedError(
            _path_of_bad_text(carried, name), "text with half a pair of surrogates"
        ) from None
    return Parcel(raw, walk.attachments) if walk.attachments else raw


def decode_value(encoded: EncodedValue, name: str = "value", *, is_frozen: bool = False) -> Any:
    """The value that `encode_value` was given.

    Args:
        encoded: what arrived.
        name: what error messages call it.
        is_frozen: whether arrays in it are to be read-only; true for whatever a plugin is given.

    Raises:
        RemoteProtocolError: the bytes are not an encoded value.
        LibraryMissingError: it is of a type whose package is not installed here.
        MemoryError: there is no room for its attachments.
    """
    try:
        if type(encoded) is msgspec.Raw:
            return (_decode_frozen if is_frozen else _decode)(encoded)
        assert isinstance(encoded, Delivery), "a parcel is for sending"
        return _decode_delivery(encoded, is_frozen)
    except ImportError as error:
        raise LibraryMissingError(name, error.name or "") from error
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise RemoteProtocolError(f"bytes that are no value: {error}") from error


def _decode_delivery(delivery: Delivery, is_frozen: bool) -> Any:
    arrival = Arrival(delivery.open(), is_frozen=is_frozen, is_trusted=delivery.is_trusted)
    return _decoder_for(arrival)(delivery.raw)


class _Walk:
    """Where in a value we are, and what has been set aside on the way.

    The text of the path is made only when somebody asks.
    """

    __slots__ = ("_inline", "attachments", "keys", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.keys: list[Any] = []
        self.attachments: list[Attachment] = []
        self._inline = 0

    def takes_inline(self, nbytes: int) -> bool:
        if nbytes >= THRESHOLD or (nbytes > _TINY and self._inline + nbytes > _MAX_INLINE):
            return False
        self._inline += nbytes
        return True

    def attach(self, attachment: Attachment) -> int:
        self.attachments.append(attachment)
        return len(self.attachments) - 1

    def __str__(self) -> str:
        return self.name + "".join(_step(key) for key in self.keys)


def _step(key: Any) -> str:
    if isinstance(key, str):
        return f".{key}" if _IDENTIFIER.match(key) else f"[{key!r}]"
    return f"[{key}]"


def _carried(value: Any, depth: int, path: _Walk) -> Any:
    """`value`, or a copy in which what msgpack lacks is an extension."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    convert = _CONVERTERS.get(kind)
    if convert is None:
        return _carried_foreign(value, path)
    return convert(value, depth, path)


def _carried_foreign(value: Any, path: _Walk) -> Any:
    carry = carrier_of(type(value))
    if carry is None:
        raise ValueNotSupportedError(str(path), _type_name(type(value)))
    try:
        return carry(value, path)
    except NotCarriedError as error:
        raise ValueNotSupportedError(str(path), str(error)) from error


def _carried_dict(value: dict[Any, Any], depth: int, path: _Walk) -> dict[str, Any]:
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


def _carried_list(value: list[Any], depth: int, path: _Walk) -> list[Any]:
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


def _carried_tuple(value: tuple[Any, ...], depth: int, path: _Walk) -> list[Any]:
    return _carried_list(list(value), depth, path)


def _carried_int(value: int, depth: int, path: _Walk) -> Any:
    if _MIN_INTEGER <= value <= _MAX_INTEGER:
        return value
    size = value.bit_length() // 8 + 1
    if size > _MAX_INTEGER_BYTES:
        raise ValueNotSupportedError(str(path), f"an integer of {size:,} bytes")
    return msgspec.msgpack.Ext(BIG_INTEGER, value.to_bytes(size, "big", signed=True))


def _carried_datetime(value: datetime, depth: int, path: _Walk) -> Any:
    return msgspec.msgpack.Ext(DATETIME, value.isoformat().encode("ascii"))


def _carried_bytes(value: bytes | bytearray, depth: int, path: _Walk) -> Any:
    if len(value) < THRESHOLD and path.takes_inline(len(value)):
        return value
    return _attached_bytes(memoryview(value), path)


def _carried_memoryview(value: memoryview, depth: int, path: _Walk) -> Any:
    if path.takes_inline(value.nbytes):
        return value.tobytes()
    return _attached_bytes(value, path)


def _attached_bytes(value: memoryview, path: _Walk) -> Any:
    # A view of several pieces, or of what is no native number, has to be copied to be bytes.
    is_flat = value.c_contiguous and value.format in _NATIVE
    flat = value.cast("B") if is_flat else memoryview(value.tobytes())
    index = path.attach(Attachment(flat.nbytes, partial(_write_bytes, flat), flat))
    return msgspec.msgpack.Ext(BYTES, index.to_bytes(4, "big"))


def _write_bytes(source: memoryview, target: memoryview) -> None:
    target[:] = source


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


def _check_depth(depth: int, path: _Walk) -> None:
    if depth >= MAX_DEPTH:
        raise ValueNotSupportedError(
            f"{path.name}{''.join(_step(key) for key in path.keys[:3])}…",
            f"nested more than {MAX_DEPTH} deep",
        )


def _type_name(kind: type) -> str:
    if kind.__module__ in ("builtins", "datetime"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


_CONVERTERS: dict[type, Callable[[Any, int, _Walk], Any]] = {
    dict: _carried_dict,
    list: _carried_list,
    tuple: _carried_tuple,
    int: _carried_int,
    datetime: _carried_datetime,
    bytes: _carried_bytes,
    bytearray: _carried_bytes,
    memoryview: _carried_memoryview,
}
