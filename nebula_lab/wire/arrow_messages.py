"""A look at the messages of an Arrow IPC stream, before Arrow itself reads their bodies.

Arrow checks by itself that a stream's messages are well-formed and that buffers lie within their
bodies. It takes two things that a stream from a sandbox must not have: compressed bodies, a
thousandfold of which unpacks, and delta dictionaries, which it joins before anybody can validate
them. Both are written in the messages' heads, which are flatbuffers
(https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc,
https://flatbuffers.dev/internals/).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

# Fields of the flatbuffers tables of Arrow's Message.fbs, by their place in it.
_MESSAGE_HEADER = 2
_BATCH_COMPRESSION = 3
_DICTIONARY_DATA, _DICTIONARY_IS_DELTA = 1, 2


class _Table:
    """A flatbuffers table at `position`; its fields are found by way of its vtable."""

    def __init__(self, data: memoryview, position: int) -> None:
        self._data = data
        self._position = position
        self._vtable = position - struct.unpack_from("<i", data, position)[0]
        self._vtable_size = struct.unpack_from("<H", data, self._vtable)[0]

    def _place_of(self, field: int) -> int:
        """Where a field is, or 0 when it has its default."""
        entry = 4 + 2 * field
        if entry + 2 > self._vtable_size:
            return 0
        offset: int = struct.unpack_from("<H", self._data, self._vtable + entry)[0]
        return self._position + offset if offset else 0

    def has(self, field: int) -> bool:
        return self._place_of(field) != 0

    def is_true(self, field: int) -> bool:
        place = self._place_of(field)
        return bool(place and struct.unpack_from("<B", self._data, place)[0])

    def table(self, field: int) -> _Table:
        place = self._place_of(field)
        if not place:
            raise ValueError("an Arrow message without a content")
        return _Table(self._data, place + struct.unpack_from("<I", self._data, place)[0])


def check_messages(stream: Any) -> None:
    """Look at every message of a stream.

    Args:
        stream: the `pyarrow.Buffer` of an Arrow IPC stream.

    Raises:
        ValueError: it has what must not come from a sandbox, or is no such stream.
    """
    import pyarrow as pa

    for message in pa.ipc.MessageReader.open_stream(stream):
        check = _CHECKS.get(message.type)
        if check is None:
            raise ValueError(f"an Arrow message of the type {message.type!r}")
        try:
            head = memoryview(message.metadata)
            root = _Table(head, struct.unpack_from("<I", head)[0])
            check(root.table(_MESSAGE_HEADER))
        except struct.error as error:
            raise ValueError("an Arrow message with a damaged head") from error


def _check_batch(batch: _Table) -> None:
    if batch.has(_BATCH_COMPRESSION):
        raise ValueError("a compressed Arrow stream")


def _check_dictionary(dictionary: _Table) -> None:
    if dictionary.is_true(_DICTIONARY_IS_DELTA):
        raise ValueError("an Arrow stream with a delta dictionary")
    _check_batch(dictionary.table(_DICTIONARY_DATA))


_CHECKS: Mapping[str, Callable[[_Table], None]] = MappingProxyType(
    {
        "schema": lambda schema: None,
        "record batch": _check_batch,
        "dictionary": _check_dictionary,
    }
)
