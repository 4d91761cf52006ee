"""Frames, series and indexes, tables, batches and arrays come out as they went in."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from nebula_lab.wire.errors import LibraryMissingError
from nebula_lab.wire.values import decode_value, encode_value

FRAME = pd.DataFrame(
    {
        "number": [1.5, None, 3.0],
        "text": ["a", None, "ü"],
        "when": pd.to_datetime(["2026-01-01", None, "2026-03-01"]).tz_localize("Europe/Berlin"),
        "kind": pd.Categorical(["x", "y", "x"], ordered=True),
        "maybe": pd.array([1, None, 3], dtype="Int64"),
        "span": pd.to_timedelta([1, 2, 3], unit="s"),
        "month": pd.period_range("2026-01", periods=3, freq="M"),
    },
    index=pd.Index([10, 20, 30], name="id"),
)
PANDAS = {
    "frame": FRAME,
    "columns of numbers": pd.DataFrame({0: [1], 7: [2]}),
    "columns of levels": pd.DataFrame(
        [[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")])
    ),
    "rows of levels": pd.DataFrame(
        {"a": [1, 2]}, index=pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["n", None])
    ),
    "nothing": pd.DataFrame(),
    "no rows": FRAME.iloc[:0],
    "every second row": FRAME.iloc[::2],
    "decimals": pd.DataFrame({"d": [decimal.Decimal("1.50"), None]}),
    "days": pd.DataFrame({"d": [datetime.date(2026, 1, 1)]}),
    "series": pd.Series([1, 2, 3], index=["a", "b", "c"], name="s"),
    "series without a name": pd.Series([1.0, 2.0]),
    "series called 5": pd.Series([1, 2], name=5),
    "categories": pd.Series(pd.Categorical(["x", "y"])),
    "index": pd.Index(["a", "b"], name="letters"),
    "range": pd.RangeIndex(2, 20, 3),
    "days as index": pd.DatetimeIndex(["2026-01-01", "2026-01-03"], tz="UTC", name="d"),
    "levels": pd.MultiIndex.from_tuples([(1, "x"), (2, "y")], names=["n", None]),
    "large": pd.DataFrame({"a": np.arange(50_000.0), "b": ["text"] * 50_000}),
}
POLARS = {
    "frame": pl.DataFrame({"a": [1, None], "b": ["x", None], "c": [[1], [2, 3]]}),
    "categories": pl.DataFrame(
        {
            "a": pl.Series(["x", "y"], dtype=pl.Categorical),
            "b": pl.Series(["x", "y"], dtype=pl.Enum(["x", "y"])),
        }
    ),
    "times": pl.DataFrame(
        {"t": pl.Series([1, 2], dtype=pl.Duration("ms")), "d": [datetime.date(2026, 1, 1)] * 2}
    ),
    "nothing": pl.DataFrame(),
    "no rows": pl.DataFrame({"a": pl.Series([], dtype=pl.Int8)}),
    "series": pl.Series("s", [1, None, 3]),
    "series of structures": pl.Series("s", [{"a": 1}, {"a": None}]),
    "large": pl.DataFrame({"a": np.arange(50_000), "b": ["text"] * 50_000}),
}
ARROW = {
    "table": pa.table({"a": [1, None], "b": ["x", "y"]}),
    "noted table": pa.table({"a": [1]}).replace_schema_metadata({"who": "me"}),
    "table of pieces": pa.Table.from_batches([pa.record_batch({"a": [n]}) for n in range(3)]),
    "nothing": pa.table({}),
    "batch": pa.record_batch({"a": [1, 2]}),
    "empty batch": pa.record_batch({"a": pa.array([], pa.int8())}),
    "array": pa.array(["x", None]),
    "slice of an array": pa.array(range(100_000))[10:90_000],
    "empty array": pa.array([], pa.float16()),
    "array of pieces": pa.chunked_array([[1], [2, 3]]),
    "dictionary": pa.array(["x", "y", "x"]).dictionary_encode(),
    "lists": pa.array([[1], None, []]),
    "views": pa.array(["x" * 30, None], pa.string_view()),
    "large": pa.table({"a": np.arange(50_000.0), "b": ["text"] * 50_000}),
}


def equal(one, other):
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
        return one.attrs == other.attrs
    if isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, other)
        return True
    if isinstance(one, pd.Index):
        pd.testing.assert_index_equal(one, other)
        return True
    return one.equals(other)


@pytest.mark.parametrize("name", PANDAS)
def test_what_is_from_pandas_goes_there_and_back(either, name):
    value = PANDAS[name]
    back = either.echoed({"x": [value]})["x"][0]
    assert type(back) is type(value)
    assert equal(back, value)


@pytest.mark.parametrize("name", POLARS)
def test_what_is_from_polars_goes_there_and_back(either, name):
    value = POLARS[name]
    back = either.echoed({"x": [value]})["x"][0]
    assert type(back) is type(value)
    assert back.equals(value)
    if isinstance(value, pl.DataFrame):
        assert back.schema == value.schema
    else:
        assert (back.name, back.dtype) == (value.name, value.dtype)


@pytest.mark.parametrize("name", ARROW)
def test_what_is_from_arrow_goes_there_and_back(either, name):
    value = ARROW[name]
    back = either.echoed({"x": [value]})["x"][0]
    assert type(back) is type(value)
    assert back.equals(value)


def test_a_frame_keeps_its_attrs(either):
    frame = pd.DataFrame({"a": [1]})
    frame.attrs = {"unit": "m"}
    assert either.echoed(frame).attrs == {"unit": "m"}


def test_a_caller_can_change_a_frame_that_it_gets(either):
    for _ in range(2):
        frame = either.returned(pd.DataFrame({"a": np.arange(50_000.0)}))
        frame.iloc[0, 0] = 7
        assert frame.iloc[0, 0] == 7


def test_a_plugin_reads_a_table_where_the_manager_put_it(pair):
    pair.given(pa.table({"a": np.arange(50_000.0)}))
    before = pa.total_allocated_bytes()
    table = pair.given(pa.table({"a": np.arange(50_000.0)}))
    assert pa.total_allocated_bytes() - before < 50_000
    assert table["a"][7].as_py() == 7


REFUSED = {
    "objects": (pd.DataFrame({"o": [object()]}), "Conversion failed for column o"),
    "mixed objects": (pd.DataFrame({"o": [1, "a"]}, dtype=object), "column o"),
    "the same column twice": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "Duplicate"),
    "complex": (pd.DataFrame({"c": [1 + 2j]}), "complex128"),
    "sparse": (pd.DataFrame({"s": pd.arrays.SparseArray([0, 1])}), "Sparse"),
    "series of a tuple's name": (pd.Series([1], name=(1, 2)), "whose name is a tuple"),
    "a time": (pd.Timestamp("2026-01-01"), "pandas.Timestamp"),
    "polars objects": (
        pl.DataFrame({"o": pl.Series([object()], dtype=pl.Object)}),
        "'o' holds Python objects",
    ),
    "a query": (pl.LazyFrame({"a": [1]}), "LazyFrame"),
    "an Arrow scalar": (pa.scalar(1), "Int64Scalar"),
    "a schema": (pa.schema([]), "Schema"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_arrow_can_not_hold_is_refused_with_path_and_reason(name):
    value, reason = REFUSED[name]
    with pytest.raises(TypeError, match=r"params\.x\[1\]: .*" + reason):
        encode_value({"x": [0, value]}, "params")


@pytest.mark.parametrize(
    ("value", "package"),
    [
        (np.arange(3), "numpy"),
        (pd.Series([1]), "pandas"),
        (pl.Series([1]), "polars"),
        (pa.array([1]), "pyarrow"),
    ],
)
def test_a_package_that_is_missing_where_a_value_arrives_is_named(monkeypatch, value, package):
    import sys

    encoded = encode_value(value)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LibraryMissingError, match=f"params: .*{package}, which is not") as caught:
        decode_value(encoded, "params")
    assert caught.value.package == package


def test_a_frame_without_pyarrow_is_refused_with_the_cure(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(TypeError, match="install pyarrow"):
        encode_value(pd.DataFrame({"a": [1]}))
