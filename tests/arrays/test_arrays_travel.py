"""Arrays and scalars of numpy come out as they went in, whatever they are made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nebula_lab.wire.parcel import THRESHOLD
from nebula_lab.wire.values import decode_value, encode_value

DETERMINED = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PLAIN = (
    hnp.boolean_dtypes()
    | hnp.integer_dtypes(endianness="?")
    | hnp.unsigned_integer_dtypes(endianness="?")
    | hnp.floating_dtypes(endianness="?")
    | hnp.complex_number_dtypes(endianness="?")
    | hnp.datetime64_dtypes(endianness="?")
    | hnp.timedelta64_dtypes(endianness="?")
    | hnp.byte_string_dtypes(endianness="?", min_len=1)
    | hnp.unicode_string_dtypes(endianness="?", min_len=1)
)
DTYPES = PLAIN | hnp.array_dtypes(PLAIN, max_size=3, allow_subarrays=True)
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(
        dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    )
)


def same(one, other):
    """Equal bit by bit, of the same element type and shape."""
    return (
        type(one) is type(other)
        and one.dtype == other.dtype
        and one.shape == other.shape
        and one.tobytes() == other.tobytes()
    )


def carried(value):
    return decode_value(encode_value(value))


@st.composite
def views(draw):
    """Any view of an array: stepped, reversed, transposed."""
    array = draw(ARRAYS)
    for _ in range(draw(st.integers(0, 2))):
        axes = draw(st.permutations(range(array.ndim)))
        array = array.transpose(axes)
        steps = draw(st.lists(st.sampled_from([1, 2, -1, -2]), max_size=array.ndim))
        array = array[(*(slice(None, None, step) for step in steps), ...)]
    return array


@DETERMINED
@given(views())
def test_any_view_of_any_array_comes_out_as_it_went_in(array):
    assert same(carried(array), array)


@DETERMINED
@given(views())
def test_a_large_one_does_so_too(either, array):
    large = np.concatenate([np.ravel(array)] * (1 + THRESHOLD // max(1, array.nbytes)))[:200_000]
    assert same(either.given({"x": [large]})["x"][0], large)
    assert same(either.returned({"x": [large]})["x"][0], large)


@DETERMINED
@given(ARRAYS.filter(lambda array: array.size))
def test_a_scalar_comes_out_as_a_scalar_of_its_type(array):
    scalar = array.ravel()[0]
    if isinstance(scalar, np.generic):
        back = carried(scalar)
        assert type(back) is type(scalar)
        assert np.asarray(back).tobytes() == np.asarray(scalar).tobytes()


ORDERS = {
    "C": np.arange(60_000.0).reshape(200, 300),
    "Fortran": np.asfortranarray(np.arange(60_000.0).reshape(200, 300)),
    "stepped": np.arange(240_000.0).reshape(400, 600)[::2, ::2],
    "reversed": np.arange(60_000.0)[::-1],
    "broadcast": np.broadcast_to(np.arange(300.0), (200, 300)),
    "three axes": np.arange(60_000.0).reshape(20, 30, 100).transpose(2, 0, 1),
}


@pytest.mark.parametrize("array", ORDERS.values(), ids=ORDERS)
def test_a_large_array_of_any_order_goes_there_and_back(either, array):
    back = either.echoed(array)
    assert same(back, array)
    if array.flags.f_contiguous:
        assert back.flags.f_contiguous


def test_many_arrays_go_in_one_call_at_any_depth(either):
    value = {
        "rows": [{"a": np.full(20_000, n), "n": n} for n in range(10)],
        "small": [np.full(10, n) for n in range(10)],
        "text": "x",
    }
    back = either.echoed(value)
    assert all((back["rows"][n]["a"] == n).all() and back["rows"][n]["n"] == n for n in range(10))
    assert all((back["small"][n] == n).all() for n in range(10))


def test_the_same_array_twice_comes_out_as_two_that_do_not_share(either):
    array = np.arange(50_000)
    one, other = either.returned([array, array])
    one[:] = 0
    assert (other == array).all()


def test_very_many_small_arrays_are_no_message_too_large(either):
    back = either.returned([np.full(7_000, n) for n in range(1500)])  # 84 MB, each of 56 kB
    assert all((array == n).all() for n, array in enumerate(back))


def test_a_structure_with_gaps_keeps_its_layout(either):
    dtype = np.dtype([("a", "i1"), ("b", ">f8"), ("c", "U3", (2, 2))], align=True)
    array = np.zeros(10_000, dtype)
    array["b"] = np.arange(10_000)
    assert same(either.echoed(array), array)


def test_a_memory_mapped_array_comes_out_as_a_plain_one(tmp_path, either):
    mapped = np.memmap(tmp_path / "x", dtype="i4", mode="w+", shape=(50_000,))
    mapped[:] = np.arange(50_000)
    back = either.given(mapped)
    assert type(back) is np.ndarray
    assert (back == mapped).all()


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_plugin_can_not_write_into_what_it_is_given(either, size):
    array = either.given(np.arange(size))
    assert not array.flags.writeable
    with pytest.raises(ValueError, match=r"read-only|WRITEABLE"):
        array[0] = 1


@pytest.mark.parametrize("size", [10, 100_000])
def test_a_caller_can_write_into_what_it_gets(either, size):
    either.returned(np.arange(size))  # now there is a segment for it
    array = either.returned(np.arange(size))
    array[0] = 7
    assert array[0] == 7


def test_what_the_caller_changes_after_the_call_does_not_reach_the_plugin(either):
    array = np.zeros(100_000)
    given_ = either.given(array)
    array[:] = 1
    assert not given_.any()


@pytest.mark.parametrize(
    "value",
    [
        b"x" * 100_000,
        bytearray(b"x" * 100_000),
        memoryview(b"xy" * 100_000)[::2],
        memoryview(np.frombuffer(b"x" * 100_000, "<f4")),
        memoryview(np.frombuffer(b"x" * 100_000, ">f4")),
    ],
    ids=["bytes", "bytearray", "stepped", "floats", "swapped"],
)
def test_large_bytes_come_out_as_bytes(either, value):
    assert either.echoed({"a": [value]}) == {"a": [b"x" * 100_000]}


REFUSED = {
    "objects": (np.array([object()]), "element type object"),
    "objects within": (np.zeros(2, [("a", "O"), ("b", "i4")]), "element type object"),
    "masked": (np.ma.array([1, 2]), "MaskedArray"),
    "a record array": (np.rec.array([(1, 2.0)]), "recarray"),
    "variable text": (np.array(["x"], np.dtypes.StringDType()), "StringDType"),
    "a dtype": (np.dtype("f8"), "dtypes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_array_is_refused_with_its_path(name):
    value, found = REFUSED[name]
    with pytest.raises(TypeError, match=r"params\.x\[1\]: .*" + found):
        encode_value({"x": [0, value]}, "params")
