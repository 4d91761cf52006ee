"""polars: frames and series. What comes from a sandbox is read by Arrow, which can check it."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nebula_lab.wire.arrow import read_stream
from nebula_lab.wire.carrying import NotCarriedError
from nebula_lab.wire.parcel import Attachment, Content
from nebula_lab.wire.table_forms.base import Form, Name, package_of


class _PolarsForm(Form):
    """By way of a frame.

    Args:
        kind: the name of the class in polars.
        to_frame: the value as a frame.
        from_frame: the value out of a frame, given its name.
        name_of: the value's name.
    """

    def __init__(
        self,
        kind: str,
        to_frame: Callable[[Any], Any],
        from_frame: Callable[[Any, Name], Any],
        name_of: Callable[[Any], Name],
    ) -> None:
        self._kind = kind
        self._to_frame = to_frame
        self._from_frame = from_frame
        self._name_of = name_of

    def is_for(self, value: Any) -> bool:
        return package_of(value) == "polars" and type(value).__name__ == self._kind

    def pack(self, value: Any) -> tuple[Name, Attachment]:
        frame = self._to_frame(value)
        _refuse_objects(frame)
        stream = io.BytesIO()
        frame.write_ipc_stream(stream)
        data = stream.getbuffer()
        return self._name_of(value), Attachment(
            data.nbytes, lambda target: _copy(data, target), data
        )

    def unpack(self, name: Name, content: Content, *, is_trusted: bool) -> Any:
        import polars as pl

        frame: Any
        if is_trusted:
            frame = pl.read_ipc_stream(io.BytesIO(content.view()))
        else:
            frame = pl.from_arrow(read_stream(content, is_trusted=False))
        return self._from_frame(frame, name)


def _refuse_objects(frame: Any) -> None:
    import polars as pl

    for name, dtype in frame.schema.items():
        if dtype == pl.Object:
            raise NotCarriedError(f"a polars frame whose column {name!r} holds Python objects")


def _copy(source: memoryview, target: memoryview) -> None:
    target[:] = source


def _series_of_frame(frame: Any, name: Name) -> Any:
    if frame.width != 1:
        raise ValueError("a series of several columns")
    return frame.to_series().rename(str(name))


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "polars.DataFrame": _PolarsForm(
            "DataFrame", lambda frame: frame, lambda frame, name: frame, lambda frame: None
        ),
        "polars.Series": _PolarsForm(
            "Series",
            lambda series: series.to_frame("values"),
            _series_of_frame,
            lambda series: str(series.name),
        ),
    }
)
