"""Values as JSON and back."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nebula_lab.cli.values import from_json, to_json

WRITTEN = {
    "bytes": (b"hello", '{"$bytes":"aGVsbG8="}'),
    "no bytes": (b"", '{"$bytes":""}'),
    "NaN": (math.nan, '{"$float":"NaN"}'),
    "infinity": (math.inf, '{"$float":"Infinity"}'),
    "negative infinity": (-math.inf, '{"$float":"-Infinity"}'),
    "a datetime": (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), '"2026-01-02T03:04:00+00:00"'),
    "an offset": (
        datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=2))),
        '"2026-01-02T00:00:00+02:00"',
    ),
    "nested": ({"a": [b"\x00", None, True]}, '{"a":[{"$bytes":"AA=="},null,true]}'),
    "letters": ("Ångström", '"Ångström"'),
    "a look-alike": ({"$bytes": 1}, '{"$object":{"$bytes":1}}'),
    "a look-alike of a look-alike": (
        {"$object": {"$float": 1}},
        '{"$object":{"$object":{"$object":{"$float":1}}}}',
    ),
    "a key with a dollar": ({"$price": 1}, '{"$price":1}'),
    "a pair with a marker": ({"$bytes": 1, "b": 2}, '{"$bytes":1,"b":2}'),
}
UNREADABLE = {
    "no JSON": "{",
    "bytes that are no base64": '{"$bytes":"!"}',
    "bytes that are a number": '{"$bytes":1}',
    "a float that is finite": '{"$float":"1"}',
    "a float that is a list": '{"$float":[]}',
    "an object that is a list": '{"$object":[]}',
    "depth": "[" * 100_000,
}
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["$bytes", "$float", "$object", "a"]) | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("value, text", WRITTEN.values(), ids=WRITTEN)
def test_a_value_has_one_form_in_json(value, text):
    assert to_json(value) == text


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_text_that_is_no_value_is_refused(text):
    with pytest.raises(ValueError):
        from_json(text)


@given(PLAIN)
def test_what_is_written_is_read_as_the_same_value(value):
    assert from_json(to_json(value)) == value


@given(PLAIN)
def test_what_is_written_is_strict_json(value):
    json.loads(to_json(value), parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def test_nan_comes_back_as_nan():
    assert math.isnan(from_json(to_json(math.nan)))


@pytest.mark.parametrize("hidden", ["\x1b", "\x7f", "\x9b", "\u202e", "\u2028", "\u200b"])
def test_characters_that_could_steer_a_terminal_are_escaped_and_not_lost(hidden):
    text = to_json([f"a{hidden}b"])
    assert hidden not in text
    assert json.loads(text) == [f"a{hidden}b"]


COLUMNAR = {
    "array": (np.arange(6).reshape(2, 3), [[0, 1, 2], [3, 4, 5]]),
    "scalar": (np.float32(1.5), 1.5),
    "nan": (np.array([np.nan]), [{"$float": "NaN"}]),
    "complex": (np.array([1j]), ["1j"]),
    "time": (np.array(["2026-01-02"], "M8[D]"), ["2026-01-02"]),
    "frame": (pd.DataFrame({"a": [1, 2], "b": ["x", None]}), [{"a": 1, "b": "x"}, {"a": 2}]),
    "series": (pd.Series([1, 2]), [1, 2]),
    "polars": (pl.DataFrame({"a": [1, None]}), [{"a": 1}, {"a": None}]),
    "table": (pa.table({"a": [b"x"]}), [{"a": {"$bytes": "eA=="}}]),
}


@pytest.mark.parametrize("name", COLUMNAR)
def test_arrays_and_tables_are_shown_as_lists(name):
    value, lists = COLUMNAR[name]
    shown = json.loads(to_json({"value": value}))["value"]
    if name == "frame":
        assert (shown[0], shown[1]["a"]) == (lists[0], 2)
    else:
        assert shown == lists


@pytest.mark.parametrize("value", ["\x1b]0;owned\x07\x1b[31mred\u202e", b"\x1b[2J\x9bred"])
def test_a_raw_result_steers_no_terminal(value):
    ours, terminal = os.openpty()
    code = f"from nebula_lab.cli.results import print_result; print_result({value!r}, raw=True)"
    subprocess.run([sys.executable, "-c", code], stdout=terminal, check=True)
    os.close(terminal)
    seen = os.read(ours, 1000).decode()
    os.close(ours)
    assert seen.isprintable()
    assert seen.endswith("red")
