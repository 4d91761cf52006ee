"""Arrays and tables as lists, for JSON: an array by rows, a table as an object for each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

# By the package and the class, or the package alone where one way is for all of its classes.
_AS_LISTS: Mapping[str, Callable[[Any], Any]] = MappingProxyType(
    {
        "numpy": lambda value: value.tolist(),
        "pandas.DataFrame": lambda value: value.to_dict("records"),
        "pandas": lambda value: value.tolist(),
        "polars.DataFrame": lambda value: value.to_dicts(),
        "polars": lambda value: value.to_list(),
        "pyarrow": lambda value: value.to_pylist(),
    }
)


def is_columnar(value: Any) -> bool:
    """Whether a value is from a package of arrays or tables; imports nothing."""
    return _package(value) in ("numpy", "pandas", "polars", "pyarrow")


def as_lists(value: Any) -> Any:
    """What such a value holds, in lists, dicts and whatever scalars the package has for it."""
    package = _package(value)
    return _AS_LISTS.get(f"{package}.{type(value).__name__}", _AS_LISTS[package])(value)


def _package(value: Any) -> str:
    return type(value).__module__.partition(".")[0]
