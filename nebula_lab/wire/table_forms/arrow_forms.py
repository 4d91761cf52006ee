"""Arrow's own: tables, record batches, arrays and chunked arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nebula_lab.wire.arrow import read_stream, stream_of
from nebula_lab.wire.parcel import Attachment, Content
from nebula_lab.wire.table_forms.base import Form, Name, package_of


class _ArrowForm(Form):
    """By way of a table.

    Args:
        kind: the name of the class in pyarrow; arrays have one for each type of element.
        to_table: the value as a table.
        from_table: the value out of a table.
    """

    def __init__(
        self, kind: str, to_table: Callable[[Any], Any], from_table: Callable[[Any], Any]
    ) -> None:
        self._kind = kind
        self._to_table = to_table
        self._from_table = from_table

    def is_for(self, value: Any) -> bool:
        if package_of(value) != "pyarrow":
            return False
        import pyarrow as pa

        return isinstance(value, getattr(pa, self._kind))

    def pack(self, value: Any) -> tuple[Name, Attachment]:
        return None, stream_of(self._to_table(value))

    def unpack(self, name: Name, content: Content, *, is_trusted: bool) -> Any:
        return self._from_table(read_stream(content, is_trusted=is_trusted))


def _table_of_batch(batch: Any) -> Any:
    import pyarrow as pa

    return pa.Table.from_batches([batch])


def _batch_of_table(table: Any) -> Any:
    import pyarrow as pa

    batches = table.to_batches()
    if len(batches) > 1:
        raise ValueError("a record batch in several pieces")
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def _table_of_array(array: Any) -> Any:
    import pyarrow as pa

    return pa.table({"values": array})


def _column(table: Any) -> Any:
    if table.num_columns != 1:
        raise ValueError("an array of several columns")
    return table.column(0)


def _array_of_table(table: Any) -> Any:
    import pyarrow as pa

    column = _column(table)
    if column.num_chunks > 1:
        raise ValueError("an array in several pieces")
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "pyarrow.Table": _ArrowForm("Table", lambda table: table, lambda table: table),
        "pyarrow.RecordBatch": _ArrowForm("RecordBatch", _table_of_batch, _batch_of_table),
        "pyarrow.ChunkedArray": _ArrowForm("ChunkedArray", _table_of_array, _column),
        "pyarrow.Array": _ArrowForm("Array", _table_of_array, _array_of_table),
    }
)
