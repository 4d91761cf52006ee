"""Values that a host sends in order to cost the manager time or memory."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from nebula_lab.wire.errors import RemoteProtocolError
from nebula_lab.wire.manifest import MAX_MANIFEST, decode_manifest
from nebula_lab.wire.scanning import COUNTED_FROM, MAX_CONTAINERS, MAX_ITEMS, refuse_bombs
from nebula_lab.wire.values import decode_value, encode_value


def raw(data: bytes) -> msgspec.Raw:
    return msgspec.Raw(data)


@pytest.mark.parametrize("key", [1, (1, 2), 1.5, b"x", None, True])
def test_only_text_is_taken_as_a_key(key):
    with pytest.raises(RemoteProtocolError):
        decode_value(raw(msgspec.msgpack.encode({key: 2})))


def test_a_key_deep_inside_is_no_other(key=(1, 2)):
    with pytest.raises(RemoteProtocolError):
        decode_value(raw(msgspec.msgpack.encode({"a": [{"b": {key: 1}}]})))


BOMBS = {
    "empty dicts": b"\xdd" + (8_000_000).to_bytes(4, "big") + b"\x80" * 8_000_000,
    "small dicts": b"\xdd" + (2_000_000).to_bytes(4, "big") + b"\x81\xa0\x80" * 2_000_000,
    "many numbers": b"\xdd" + (6_000_000).to_bytes(4, "big") + b"\x01" * 6_000_000,
    "items that are announced": b"\xdd\xff\xff\xff\xff" + b"\x01" * COUNTED_FROM,
}


@pytest.mark.parametrize("what", BOMBS)
def test_more_than_a_message_may_have_is_refused_before_it_is_decoded(what):
    with pytest.raises(RemoteProtocolError, match="items"):
        decode_value(raw(BOMBS[what]))


@pytest.mark.parametrize(
    "data",
    [
        b"\xdd" + (4_500_000).to_bytes(4, "big") + b"\x01" * COUNTED_FROM,
        b"\xc1" + b"x" * COUNTED_FROM,
        b"\xdb" + b"\xff\xff\xff\xff" + b"x" * COUNTED_FROM,
    ],
)
def test_bytes_that_are_no_value_are_refused_too(data):
    with pytest.raises(RemoteProtocolError):
        refuse_bombs(memoryview(data))


EVERY_KIND = {
    "text": ["", "x" * 31, "y" * 200, "z" * 70_000],
    "numbers": [0, 127, 200, 70_000, 2**40, -1, -100, -1000, -(2**20), -(2**40), 1.5],
    "others": [None, True, False, b"", b"x" * 300, b"y" * 60_000],
    "lists": [[], [1] * 15, [1] * 16, [1] * 70_000],
    "dicts": [{}, {str(n): n for n in range(15)}, {str(n): n for n in range(70_000)}],
    "large integers": [2**70, -(2**200), 2**2000],
}


def test_what_an_honest_plugin_sends_is_counted_right():
    value = {**EVERY_KIND, "much": ["w" * 1000] * 5000}
    encoded = encode_value(value)
    assert len(memoryview(encoded)) > COUNTED_FROM
    assert decode_value(encoded) == value


def test_there_is_room_for_a_large_document():
    rows = [{"id": n, "name": f"name {n}", "ok": True} for n in range(200_000)]
    assert len(rows) < MAX_CONTAINERS and 7 * len(rows) < MAX_ITEMS
    assert decode_value(encode_value(rows)) == rows


def test_a_manifest_too_large_is_refused_before_it_is_decoded():
    with pytest.raises(RemoteProtocolError, match="manifest of"):
        decode_manifest(b"\x90" * (MAX_MANIFEST + 1))


def views(kind: str, seen: int):
    """A table whose views show one buffer again and again."""
    import pyarrow as pa

    size = 2_000_000
    rows = seen // size
    if kind == "string_view":
        view = size.to_bytes(4, "little") + b"xxxx" + bytes(8)
        buffers = [None, pa.py_buffer(view * rows), pa.py_buffer(b"x" * size)]
        column = pa.Array.from_buffers(pa.string_view(), rows, buffers)
    else:
        values = pa.array([7] * size, pa.int8())
        sizes, offsets = pa.array([size] * rows, pa.int32()), pa.array([0] * rows, pa.int32())
        column = pa.ListViewArray.from_arrays(offsets, sizes, values)
    return pa.table({"x": column})


@pytest.mark.parametrize("kind", ["string_view", "list_view"])
def test_views_that_show_more_than_there_is_are_refused(kind):
    import pyarrow as pa

    from nebula_lab.wire.arrow import read_stream
    from nebula_lab.wire.parcel import Content

    sink = pa.BufferOutputStream()
    table = views(kind, 600_000_000)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data = sink.getvalue().to_pybytes()
    with pytest.raises(ValueError, match="views show"):
        read_stream(Content(data, 0, len(data)), is_trusted=False)


def test_a_plugins_environment_needs_no_reader_for_what_plugins_send():
    code = "import sys, nebula_lab.wire.values; assert 'ormsgpack' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
