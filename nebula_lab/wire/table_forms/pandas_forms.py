"""pandas: frames, series and indexes. Arrow's own note in the stream keeps index and attrs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nebula_lab.wire.arrow import read_stream, stream_of
from nebula_lab.wire.parcel import Attachment, Content
from nebula_lab.wire.table_forms.base import Form, Name, checked_name, package_of


class _PandasForm(Form):
    """By way of a frame.

    Args:
        kind: the name of the class in pandas; its subclasses in pandas itself are taken too.
        to_frame: the value as a frame.
        from_frame: the value out of a frame, given its name.
        name_of: the value's name.
    """

    def __init__(
        self,
        kind: str,
        to_frame: Callable[[Any], Any],
        from_frame: Callable[[Any, Name], Any],
        name_of: Callable[[Any], Any] = lambda value: None,
    ) -> None:
        self._kind = kind
        self._to_frame = to_frame
        self._from_frame = from_frame
        self._name_of = name_of

    def is_for(self, value: Any) -> bool:
        if package_of(value) != "pandas":
            return False
        import pandas as pd

        return isinstance(value, getattr(pd, self._kind))

    def pack(self, value: Any) -> tuple[Name, Attachment]:
        import pyarrow as pa

        name = checked_name(self._name_of(value))
        return name, stream_of(pa.Table.from_pandas(self._to_frame(value)))

    def unpack(self, name: Name, content: Content, *, is_trusted: bool) -> Any:
        import pandas as pd  # noqa: F401 - or Arrow would say in its own words that it is missing

        return self._from_frame(read_stream(content, is_trusted=is_trusted).to_pandas(), name)


def _frame_of_index(index: Any) -> Any:
    import pandas as pd

    return pd.DataFrame(index=index)


def _series_of_frame(frame: Any, name: Name) -> Any:
    if frame.shape[1] != 1:
        raise ValueError("a series of several columns")
    series = frame.iloc[:, 0].rename(name)
    series.attrs = frame.attrs
    return series


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "pandas.DataFrame": _PandasForm(
            "DataFrame", lambda frame: frame, lambda frame, name: frame
        ),
        "pandas.Series": _PandasForm(
            "Series",
            lambda series: series.to_frame("values"),
            _series_of_frame,
            lambda series: series.name,
        ),
        "pandas.Index": _PandasForm("Index", _frame_of_index, lambda frame, name: frame.index),
    }
)
