"""Profiles tables column by column: a file of yours, or a data set that ships with vega_datasets.

Needs pandas, pyarrow and vega_datasets: `pip install nebula-lab[samples]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from vega_datasets import local_data

from nebula_lab.plugin import Bounds, Plugin, PluginError, operation

PLUGIN_API_VERSION = 1
READERS = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}
QUANTILES = {"min": 0.0, "25%": 0.25, "50%": 0.5, "75%": 0.75, "max": 1.0}
Source = Annotated[str, "the name of a data set, or the path to a .csv, .json or .parquet file"]


@dataclass(frozen=True)
class ColumnProfile:
    """What is in one column; quantiles for numbers and dates, the top values with counts."""

    name: str
    type: str
    missing: int
    distinct: int
    quantiles: dict[str, Any] | None
    top: list[tuple[Any, int]]


@dataclass(frozen=True)
class Profile:
    """What is in one table."""

    source: str
    rows: int
    columns: list[ColumnProfile]


class DataProfiler(Plugin):
    """Reads a table and says what is in it."""

    @operation(idempotent=True)
    def datasets(self) -> list[str]:
        """The data sets that can be profiled by name."""
        return sorted(local_data.list_datasets())

    @operation(idempotent=True)
    def profile(self, source: Source, top: Annotated[int, Bounds(ge=0, le=100)] = 3) -> Profile:
        """Type, missing and distinct values, quantiles and the `top` values of each column."""
        table = read(source)
        columns = []
        for done, name in enumerate(table.columns, 1):
            columns.append(profile_of(table[name], top))
            self.context.progress(done, len(table.columns), f"column {name}")
        return Profile(source, len(table), columns)

    @operation(idempotent=True)
    def to_parquet(self, source: Source, path: str = "") -> str:
        """Write a table as Parquet, to the plugin's scratch folder if no path is given; where."""
        target = path or str(self.context.scratch_dir / f"{Path(source).stem}.parquet")
        read(source).to_parquet(target, index=False)
        return target


def read(source: str) -> pd.DataFrame:
    known = sorted(local_data.list_datasets())
    attribute = source.replace("-", "_")
    path = Path(getattr(local_data, attribute).filepath if source in known else source)
    reader = READERS.get(path.suffix)
    if reader is None or not path.is_file():
        raise PluginError(
            f"{source!r} is neither a data set nor a .csv, .json or .parquet file",
            hint=f"The data sets are {', '.join(known)}.",
        )
    return reader(path)


def profile_of(column: pd.Series, top: int) -> ColumnProfile:
    values = column.dropna()
    ordered = len(values) > 0 and values.dtype.kind in "iufM"  # numbers and dates
    counts = values.value_counts().head(top)
    return ColumnProfile(
        name=str(column.name),
        type=str(column.dtype),
        missing=int(column.isna().sum()),
        distinct=int(values.nunique()),
        quantiles={k: plain(values.quantile(q)) for k, q in QUANTILES.items()} if ordered else None,
        top=[(plain(value), int(count)) for value, count in counts.items()],
    )


def plain(value: Any) -> Any:
    """A cell as one of the values that cross to the manager: numpy's and pandas' do not."""
    if isinstance(value, pd.Timestamp):
        return value.to_pydatetime(warn=False)
    value = value.item() if hasattr(value, "item") else value
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def plugin_entry() -> DataProfiler:
    return DataProfiler()
