"""Arrays and tables that are none, in messages that are otherwise in order."""

from __future__ import annotations

import io
import struct

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula_lab.wire.arrow import MAX_VALUES
from nebula_lab.wire.carrying import ARRAY, BYTES, TABLE
from nebula_lab.wire.dtypes import read_dtype
from nebula_lab.wire.errors import RemoteProtocolError
from nebula_lab.wire.values import decode_value

DETERMINED = settings(derandomize=True, deadline=None, max_examples=200)


def extension(code, *parts):
    inner = msgspec.msgpack.encode(list(parts))
    return msgspec.Raw(msgspec.msgpack.encode(msgspec.msgpack.Ext(code, inner)))


def array(dtype="<f8", shape=(1,), fortran=False, scalar=False, data=bytes(8)):
    return extension(ARRAY, dtype, list(shape), fortran, scalar, data)


def record(*fields, itemsize=8):
    return ["record", itemsize, [list(field) for field in fields]]


HUGE = 2**62
ARRAYS = {
    "too few bytes": array(shape=[2]),
    "too many bytes": array(data=bytes(16)),
    "a negative size": array(shape=[-1]),
    "two negative sizes": array(shape=[-1, -1]),
    "a size of text": array(shape=["1"]),
    "sizes whose product overflows": array(shape=[2**32, 2**32], data=b""),
    "sizes whose bytes overflow": array(shape=[2**61], data=b""),
    "zero times too much": array(shape=[0, HUGE, HUGE], data=b""),
    "ever so many nothings": array("|V0", [HUGE], data=b""),
    "too many axes": array(shape=[1] * 65),
    "an attachment that is none": array(data=0),
    "a negative attachment": array(data=-1),
    "a scalar of two": array(shape=[2], scalar=True, data=bytes(16)),
    "objects": array("|O"),
    "objects by size": array("O8"),
    "an unknown type": array("f7"),
    "a type by name": array("float64"),
    "a comma list": array("f8,f8", data=bytes(16)),
    "a repeated type": array("2f8", data=bytes(16)),
    "an expression": array("('f8', (1,))"),
    "variable text": array("|T16", data=bytes(16)),
    "text of gigabytes": array("<U999999999", [0], data=b""),
    "void of gigabytes": array("|V9999999999", [0], data=b""),
    "a time of no unit": array("<M8[parsec]"),
    "a type of a list": array([]),
    "a type of a number": array(8),
    "a type of nothing": array(None),
    "an inner array of gigabytes": array(["array", "<f8", [2**40]], [0], data=b""),
    "an inner array of nothings": array(["array", "|V0", [2**60]], [1], data=b""),
    "an inner array of objects": array(["array", "|O", [1]]),
    "an inner array of a negative size": array(["array", "<f8", [-1]]),
    "objects in a structure": array(record(("a", 0, "|O", None))),
    "a field outside": array(record(("a", 4, "<f8", None))),
    "a field before": array(record(("a", -8, "<f8", None))),
    "a field far outside": array(record(("a", HUGE, "<f8", None))),
    "a field without a name": array(record((0, 0, "<f8", None))),
    "the same field twice": array(record(("a", 0, "<f4", None), ("a", 4, "<f4", None))),
    "a title that is a field": array(record(("a", 0, "<f4", "b"), ("b", 4, "<f4", None))),
    "a title of bytes": array(record(("a", 0, "<f8", b"x"))),
    "half a field": array(record(("a",))),
    "a structure of gigabytes": array(record(itemsize=HUGE), [0], data=b""),
    "a structure of a negative size": array(record(itemsize=-8)),
    "fields without end": array(record(*((str(n), 0, "|b1", None) for n in range(20_000)))),
    "bytes that are no attachment": msgspec.Raw(
        msgspec.msgpack.encode(msgspec.msgpack.Ext(BYTES, b"\0"))
    ),
    "nothing": msgspec.Raw(msgspec.msgpack.encode(msgspec.msgpack.Ext(ARRAY, b""))),
    "rubbish": msgspec.Raw(msgspec.msgpack.encode(msgspec.msgpack.Ext(ARRAY, b"\xc1\xff"))),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_that_is_none_is_the_other_sides_fault(name):
    with pytest.raises(RemoteProtocolError, match="no value"):
        decode_value(ARRAYS[name])


def test_a_type_nested_without_end_is_refused():
    words = "<f8"
    for _ in range(100):
        words = ["array", words, [1]]
    with pytest.raises(RemoteProtocolError, match="too many parts"):
        decode_value(array(words))


INTEGERS = st.integers(-(2**63), 2**64 - 1)
LEAVES = st.text(max_size=6) | INTEGERS | st.none() | st.sampled_from(["<f8", "|O", "|V0", "<U3"])


def compound(inner):
    shapes = st.lists(st.integers(-2, 2**63 - 1), max_size=3)
    fields = st.lists(st.lists(inner, max_size=4), max_size=4)
    return (
        st.lists(inner, max_size=4)
        | st.tuples(st.just("array"), inner, shapes).map(list)
        | st.tuples(st.just("record"), INTEGERS, fields).map(list)
    )


WORDS = st.recursive(LEAVES, compound, max_leaves=8)


@DETERMINED
@given(WORDS)
def test_any_words_are_an_element_type_without_objects_or_none_at_all(words):
    try:
        assert not read_dtype(words).hasobject
    except ValueError:
        return


@DETERMINED
@given(WORDS, st.lists(st.integers(-1, 2**63 - 1), max_size=4), st.binary(max_size=32))
def test_any_head_is_an_array_of_its_own_bytes_or_the_other_sides_fault(words, shape, data):
    try:
        value = decode_value(array(words, shape, data=data))
    except RemoteProtocolError:
        return
    assert value.nbytes == len(data)


# Arrow


def stream(table, **options):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue()


def delta_dictionaries():
    sink = io.BytesIO()
    schema = pa.schema([("a", pa.dictionary(pa.int8(), pa.string()))])
    options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with pa.ipc.new_stream(sink, schema, options=options) as writer:
        for words in (["x"], ["x", "y"]):
            column = pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), words)
            writer.write_batch(pa.record_batch([column], schema=schema))
    return sink.getvalue()


def bad_offsets():
    good = stream(pa.table({"a": ["x" * 12_345]}))
    right, wrong = struct.pack("<ii", 0, 12_345), struct.pack("<ii", 0, 10**6)
    head, _, body = good.rpartition(right)  # what looks like it before is a buffer's own place
    return head + wrong + body


def bad_text():
    column = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(np.array([0, 2], "i4")), pa.py_buffer(b"\xff\xfe")]
    )
    return stream(pa.table({"a": column}))


def bad_index():
    column = pa.DictionaryArray.from_arrays(pa.array([100], pa.int8()), pa.array(["x"]), safe=False)
    return stream(pa.table({"a": column}))


def nulls(count):
    return stream(pa.table({"a": pa.nulls(count)}))


def runs(count):
    column = pa.RunEndEncodedArray.from_arrays(pa.array([count], pa.int64()), pa.array([1]))
    return stream(pa.table({"a": column}))


def lists_of_nulls(count):
    offsets = pa.array([0, count], pa.int64())
    return stream(pa.table({"a": pa.LargeListArray.from_arrays(offsets, pa.nulls(count))}))


GOOD = stream(pa.table({"a": [1, 2, 3], "b": ["x", "y", "z"]}))
ZEROS = pa.table({"a": np.zeros(1_000_000)})
STREAMS = {
    "nothing": b"",
    "rubbish": b"rubbish" * 10,
    "cut": GOOD[:-100],
    "cut in the head": GOOD[:20],
    "a head of gigabytes": b"\xff\xff\xff\xff\xff\xff\xff\x7f" + bytes(64),
    "compressed by lz4": stream(ZEROS, compression="lz4"),
    "compressed by zstd": stream(ZEROS, compression="zstd"),
    "delta dictionaries": delta_dictionaries(),
    "offsets outside": bad_offsets(),
    "text that is none": bad_text(),
    "an index outside": bad_index(),
    "ever so many nulls": nulls(MAX_VALUES + 1),
    "a run without end": runs(2**31 - 1),
    "a list of ever so many nulls": lists_of_nulls(MAX_VALUES + 1),
}
FORMS = ("pyarrow.Table", "pandas.DataFrame", "polars.DataFrame")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_is_none_is_the_other_sides_fault(name, form):
    with pytest.raises(RemoteProtocolError, match="no value"):
        decode_value(extension(TABLE, form, None, STREAMS[name]))


@pytest.mark.parametrize("form", ["", "pandas.read_pickle", "pyarrow.Table\0"])
def test_an_unknown_form_of_table_is_the_other_sides_fault(form):
    with pytest.raises(RemoteProtocolError, match="form"):
        decode_value(extension(TABLE, form, None, GOOD))


NOTES = {
    "no JSON": b"{",
    "no object": b"[]",
    "columns of nothing": b'{"columns": [{}], "index_columns": [], "column_indexes": []}',
    "an index that is not there": b'{"columns": [], "index_columns": ["zz"], "column_indexes": []}',
}


@pytest.mark.parametrize("name", NOTES)
def test_a_frame_with_a_damaged_note_is_the_other_sides_fault_or_a_frame(name):
    table = pa.table({"a": [1]}).replace_schema_metadata({"pandas": NOTES[name]})
    try:
        assert len(decode_value(extension(TABLE, "pandas.DataFrame", None, stream(table)))) == 1
    except RemoteProtocolError:
        return


@pytest.mark.parametrize("form", ["pandas.Series", "polars.Series", "pyarrow.Array"])
def test_a_series_of_two_columns_is_the_other_sides_fault(form):
    with pytest.raises(RemoteProtocolError, match="several columns"):
        decode_value(extension(TABLE, form, None, GOOD))


@DETERMINED
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.sampled_from(FORMS))
def test_a_stream_with_any_byte_changed_is_a_table_or_the_other_sides_fault(place, byte, form):
    damaged = bytearray(GOOD)
    damaged[place] = byte
    try:
        decode_value(extension(TABLE, form, None, bytes(damaged)))
    except RemoteProtocolError:
        return
