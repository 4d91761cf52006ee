"""Arrow IPC streams: written into memory of the exact size, read where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nebula_lab.wire.arrow_messages import check_messages
from nebula_lab.wire.carrying import NotCarriedError
from nebula_lab.wire.parcel import MAX_FREIGHT, Attachment, Content

# A few bytes can announce very many values: of the type null, or repeated by a run.
MAX_VALUES = MAX_FREIGHT // 8
_MAX_SCHEMA = 4 * 1024 * 1024
# What views may show together, in bytes or values, also of a short stream. pandas makes an object
# of each.
_MOST_SEEN = 64 * 1024 * 1024


def stream_of(table: Any) -> Attachment:
    """A `pyarrow.Table` as an Arrow IPC stream that is still to be written.

    Raises:
        NotCarriedError: Arrow itself can't write it.
    """
    import pyarrow as pa

    size = pa.MockOutputStream()
    try:
        _write(size, table)
    except pa.ArrowException as error:
        raise NotCarriedError(f"a table that Arrow can't write ({error})") from error
    return Attachment(
        size.size(), lambda target: _write(pa.FixedSizeBufferWriter(pa.py_buffer(target)), table)
    )


def _write(sink: Any, table: Any) -> None:
    import pyarrow as pa

    with pa.ipc.new_stream(sink, table.schema) as writer:
        if table.num_rows:
            writer.write_table(table)
        else:
            # Without a batch there would be no dictionaries: an empty column has categories too.
            writer.write_batch(_empty_batch(table))


def _empty_batch(table: Any) -> Any:
    import pyarrow as pa

    arrays = [
        column.chunk(0) if column.num_chunks else pa.array([], column.type)
        for column in table.columns
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=table.schema)


def read_stream(content: Content, *, is_trusted: bool) -> Any:
    """The `pyarrow.Table` of an Arrow IPC stream; it keeps `content.buffer`.

    Args:
        content: the stream.
        is_trusted: do without looking at every value. Arrow reads offsets within columns as they
            are: wrong ones from a sandbox would have this process read other memory of its own.

    Raises:
        ValueError: it is none.
    """
    import pyarrow as pa

    stream = pa.py_buffer(content.buffer).slice(content.offset, content.nbytes)
    try:
        if not is_trusted:
            check_messages(stream)
        table = pa.ipc.open_stream(stream).read_all()
        if not is_trusted:
            _check_table(table, content.nbytes)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"a damaged Arrow stream: {error}") from error
    return table


def _check_table(table: Any, nbytes: int) -> None:
    if table.schema.serialize().size > _MAX_SCHEMA:
        raise ValueError("an Arrow stream with too large a schema")
    table.validate(full=True)
    arrays = [
        one for column in table.columns for chunk in column.chunks for one in _arrays_in(chunk)
    ]
    total = max(sum(map(len, arrays)), table.num_rows)
    if total > MAX_VALUES:
        raise ValueError(f"an Arrow stream of {total:,} values")
    seen = sum(map(_seen_through_views, arrays))
    if seen > max(_MOST_SEEN, 8 * nbytes):
        raise ValueError(f"an Arrow stream whose views show {seen:,} bytes or values of {nbytes:,}")


def _seen_through_views(array: Any) -> int:
    """The bytes or values that the views of an array show, all together: they may overlap."""
    import pyarrow as pa

    kind, start, stop = array.type, array.offset, array.offset + len(array)
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
        lengths = memoryview(array.buffers()[1]).cast("B").cast("i")  # the first of four words
        return sum(lengths[4 * start : 4 * stop : 4])
    if pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind):
        sizes = memoryview(array.buffers()[2]).cast("B")
        wide = pa.types.is_large_list_view(kind)
        return sum((sizes.cast("q") if wide else sizes.cast("i"))[start:stop])
    return 0


def _arrays_in(array: Any) -> Iterator[Any]:
    """An array and all that it is made of."""
    import pyarrow as pa

    yield array
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        yield from _arrays_in(array.storage)
    elif pa.types.is_dictionary(kind):
        yield from _arrays_in(array.dictionary)
    elif pa.types.is_map(kind):
        yield from _arrays_in(array.keys)
        yield from _arrays_in(array.items)
    elif _is_list(kind):
        yield from _arrays_in(array.values)
    elif pa.types.is_struct(kind) or pa.types.is_union(kind):
        for index in range(kind.num_fields):
            yield from _arrays_in(array.field(index))


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    tests = (
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_fixed_size_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    )
    return any(test(kind) for test in tests)
