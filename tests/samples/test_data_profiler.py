"""The profiler, on the data sets that ship with vega_datasets and on files."""

from __future__ import annotations

import pandas as pd
import pytest

from nebula_lab.plugin import PluginError
from nebula_lab.wire.values import decode_value, encode_value


@pytest.fixture
def profiler(house):
    house.load("data_profiler")
    return house


def column(house, source: str, name: str) -> dict:
    profile = house.call("data_profiler", "profile", source=source)
    [found] = [c for c in profile["columns"] if c["name"] == name]
    return found


def test_the_cars_have_their_known_size(profiler):
    profile = profiler.call("data_profiler", "profile", source="cars")
    assert (profile["rows"], len(profile["columns"])) == (406, 9)


def test_missing_values_are_counted(profiler):
    assert column(profiler, "cars", "Horsepower")["missing"] == 6


def test_a_column_of_numbers_has_quantiles(profiler):
    assert column(profiler, "cars", "Cylinders")["quantiles"] == {
        "min": 3.0,
        "25%": 4.0,
        "50%": 4.0,
        "75%": 8.0,
        "max": 8.0,
    }


def test_a_column_of_text_has_its_most_frequent_values(profiler):
    origin = column(profiler, "cars", "Origin")
    assert origin["top"] == [["USA", 254], ["Japan", 79], ["Europe", 73]]
    assert (origin["distinct"], origin["quantiles"]) == (3, None)


def test_progress_goes_through_all_columns(profiler):
    profiler.call("data_profiler", "profile", source="cars")
    assert [done for done, *_ in profiler.progress] == list(range(1, 10))


def test_every_data_set_gives_a_profile_that_crosses_to_the_manager(profiler):
    for source in profiler.call("data_profiler", "datasets"):
        profile = profiler.call("data_profiler", "profile", source=source)
        assert decode_value(encode_value(profile)) == profile, source


def test_a_table_is_the_same_after_it_was_written_as_parquet(profiler):
    path = profiler.call("data_profiler", "to_parquet", source="seattle-weather")
    before = profiler.call("data_profiler", "profile", source="seattle-weather")
    after = profiler.call("data_profiler", "profile", source=path)
    assert after["columns"] == before["columns"]


def test_parquet_goes_to_the_scratch_folder_unless_a_path_is_given(profiler, tmp_path):
    path = profiler.call("data_profiler", "to_parquet", source="cars")
    assert path == str(tmp_path / "cars.parquet")
    chosen = str(tmp_path / "chosen.parquet")
    assert profiler.call("data_profiler", "to_parquet", source="cars", path=chosen) == chosen


def test_dates_in_parquet_have_quantiles(profiler, tmp_path):
    path = tmp_path / "days.parquet"
    days = pd.date_range("2024-01-01", periods=5, tz="UTC")
    pd.DataFrame({"day": days}).to_parquet(path)
    quantiles = column(profiler, str(path), "day")["quantiles"]
    assert quantiles["50%"] == days[2].to_pydatetime()


@pytest.mark.parametrize(("text", "distinct"), [("a\n", 0), ("a\n,\n", 0), ("a\ntrue\nfalse\n", 2)])
def test_columns_without_numbers_have_no_quantiles(profiler, tmp_path, text, distinct):
    path = tmp_path / "table.csv"
    path.write_text(text)
    found = column(profiler, str(path), "a")
    assert (found["distinct"], found["quantiles"]) == (distinct, None)


@pytest.mark.parametrize("source", ["nothing", "missing.csv", "/etc/hostname"])
def test_a_source_that_is_no_table_is_refused_with_the_names_that_there_are(profiler, source):
    with pytest.raises(PluginError, match=r"neither a data set nor.*\n.*seattle-weather"):
        profiler.call("data_profiler", "profile", source=source)
