"""Values: what is carried comes back equal, what is not is refused by its path."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import math
import pathlib
import uuid
from collections import OrderedDict, defaultdict, namedtuple
from datetime import timedelta, timezone
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula_lab.wire.errors import RemoteProtocolError, ValueNotSupportedError
from nebula_lab.wire.values import MAX_DEPTH, decode_value, encode_value

DETERMINED = settings(derandomize=True, deadline=None, max_examples=200)
OFFSETS = st.integers(-86_399, 86_399).map(lambda s: timezone(timedelta(seconds=s)))
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**200), 2**200)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes()
    | st.datetimes(timezones=OFFSETS)
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def carried(value):
    return decode_value(encode_value(value))


def same(one, other):
    """Equal, and of the same types all through."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, datetime.datetime):
        return one == other and one.utcoffset() == other.utcoffset()
    return one == other


@DETERMINED
@given(VALUES)
def test_a_value_comes_back_as_it_was(value):
    assert same(carried(value), value)


@DETERMINED
@given(VALUES)
def test_encoding_leaves_the_value_alone(value):
    before = repr(value)
    encode_value(value)
    assert repr(value) == before


def test_nan_comes_back():
    assert math.isnan(carried({"x": [math.nan]})["x"][0])


@pytest.mark.parametrize("value", [math.inf, -math.inf, -0.0])
def test_infinities_and_the_negative_zero_come_back(value):
    assert (carried(value), math.copysign(1, carried(value))) == (value, math.copysign(1, value))


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, 10**1000, -(10**1000), 2**63, -(2**63)])
def test_an_integer_of_any_size_comes_back(value):
    assert carried([value]) == [value]


def test_a_tuple_comes_back_as_a_list():
    assert carried({"t": (1, (2, (2**70,)))}) == {"t": [1, [2, [2**70]]]}


@pytest.mark.parametrize(
    "value", [bytearray(b"abc"), memoryview(b"abc"), memoryview(b"axbxcx")[::2]]
)
def test_what_holds_bytes_comes_back_as_bytes(value):
    assert carried(value) == b"abc"


@dataclasses.dataclass
class Point:
    x: int = 1


class Struct(msgspec.Struct):
    x: int = 1


class Colour(enum.Enum):
    RED = "red"


class Number(enum.IntEnum):
    ONE = 1


class Text(str):
    """A subclass says something that its text alone does not."""


Pair = namedtuple("Pair", "a b")

UNSUPPORTED = [
    (object(), "object"),
    ({1, 2}, "set"),
    (frozenset(), "frozenset"),
    (timedelta(1), "timedelta"),
    (datetime.date(2026, 1, 1), "date"),
    (datetime.time(12), "time"),
    (decimal.Decimal("1.5"), "decimal.Decimal"),
    (uuid.UUID(int=1), "uuid.UUID"),
    (Colour.RED, "Colour"),
    (Number.ONE, "Number"),
    (Text("x"), "Text"),
    (Point(), "Point"),
    (Struct(), "Struct"),
    (Pair(1, 2), "Pair"),
    (OrderedDict(), "OrderedDict"),
    (defaultdict(list), "defaultdict"),
    (SimpleNamespace(), "SimpleNamespace"),
    (pathlib.PurePosixPath("/"), "PurePosixPath"),
    (1j, "complex"),
    (range(3), "range"),
    (iter([]), "list_iterator"),
    (print, "builtin_function_or_method"),
    (Point, "type"),
    (..., "ellipsis"),
    (ValueError("x"), "ValueError"),
    (msgspec.Raw(b"\xc0"), "msgspec.Raw"),
    (msgspec.msgpack.Ext(1, b""), "Ext"),
    (1 << 40_000, "an integer of 5,001 bytes"),
    ("\ud800", "surrogates"),
]


@pytest.mark.parametrize(("value", "found"), UNSUPPORTED, ids=lambda value: type(value).__name__)
def test_what_is_not_carried_is_named_with_its_path(value, found):
    with pytest.raises(ValueNotSupportedError) as caught:
        encode_value({"rows": [0, 1, 2, {"when": value}]}, "params")
    assert caught.value.element == "params.rows[3].when"
    assert found in caught.value.found


PATHS = [
    ({"a": object()}, "value.a"),
    ([object()], "value[0]"),
    ((1, object()), "value[1]"),
    ({"two words": object()}, "value['two words']"),
    ({"": object()}, "value['']"),
    ({"a": {"b": [[object()]]}}, "value.a.b[0][0]"),
    (object(), "value"),
    ([2**70, {"x": [timedelta(1)]}], "value[1].x[0]"),
    ({"ok": 1, "t": ("fine", "\udfff")}, "value.t[1]"),
]


@pytest.mark.parametrize(("value", "path"), PATHS, ids=[path for _, path in PATHS])
def test_a_path_reads_as_the_code_that_reaches_the_element(value, path):
    with pytest.raises(ValueNotSupportedError) as caught:
        encode_value(value)
    assert caught.value.element == path


@pytest.mark.parametrize("key", [1, None, b"x", (1,), Text("x"), 1.5])
def test_a_key_that_is_no_text_is_refused_with_the_path_to_its_dict(key):
    with pytest.raises(ValueNotSupportedError, match=r"value\.a: a key of type"):
        encode_value({"a": {key: 1}})


def test_a_key_of_half_a_pair_of_surrogates_is_refused():
    with pytest.raises(ValueNotSupportedError) as caught:
        encode_value({"a": {"\ud800": 1}})
    assert caught.value.element == "value.a"


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


def test_a_value_may_be_as_deep_as_the_limit():
    assert carried(nested(MAX_DEPTH)) == nested(MAX_DEPTH)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900])
def test_a_deeper_value_is_refused(depth):
    with pytest.raises(ValueNotSupportedError, match="nested more than 200 deep"):
        encode_value(nested(depth))


def test_a_cycle_is_refused():
    value = {"self": []}
    value["self"].append(value)
    with pytest.raises(ValueNotSupportedError, match=r"value\.self\[0\]\.self.*nested more than"):
        encode_value(value)


def extension(code, data):
    return msgspec.msgpack.encode(msgspec.msgpack.Ext(code, data))


HOSTILE = {
    "nothing": b"",
    "garbage": b"\xc1",
    "truncated": b"\x92\x01",
    "unknown extension": extension(9, b"x"),
    "negative extension": extension(-7, b"x"),
    "datetime of nothing": extension(1, b""),
    "datetime of rubbish": extension(1, b"yesterday"),
    "datetime of other bytes": extension(1, b"\xff\xfe"),
    "datetime out of range": extension(1, b"2026-13-45T99:00:00"),
    "datetime without end": extension(1, b"2026-01-01T00:00:00" + b"0" * 100_000),
    "timestamp of a wrong size": extension(-1, b"12"),
    "timestamp out of range": extension(-1, b"\xff" * 12),
    "huge integer": extension(2, b"\x7f" * 4097),
    "deep nest": b"\x91" * 100_000 + b"\xc0",
    "deep map": b"\x81\xa1a" * 100_000 + b"\xc0",
    "false array size": b"\xdd\xff\xff\xff\xff",
    "false map size": b"\xdf\xff\xff\xff\xff",
    "false text size": b"\xdb\xff\xff\xff\xff",
    "false extension size": b"\xc9\xff\xff\xff\xff\x02",
    "bad text": b"\xa2\xff\xfe",
    "half a pair": b"\xa3\xed\xa0\x80",
    "a key that can't be one": b"\x81\x80\x01",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_bytes_that_are_no_value_are_the_other_sides_fault(name):
    with pytest.raises(RemoteProtocolError, match="no value"):
        decode_value(msgspec.Raw(HOSTILE[name]))


@DETERMINED
@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_the_other_sides_fault(data):
    try:
        decode_value(msgspec.Raw(data))
    except RemoteProtocolError:
        return
