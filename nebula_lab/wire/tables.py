"""Frames, series and indexes of pandas and polars, tables, batches and arrays of Arrow.

All travel as an Arrow IPC stream, with a word for what to make of it at the other end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from nebula_lab.wire.carrying import TABLE, Arrival, NotCarriedError, Walk
from nebula_lab.wire.table_forms import arrow_forms, pandas_forms, polars_forms
from nebula_lab.wire.table_forms.base import Form

# Rust's panics are no `Exception`s. Polars has them for what others have errors for.
_PANIC = "PanicException"


class _Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A table without its stream, or with it when it is short."""

    form: str
    name: str | int | float | bool | None
    data: bytes | int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Head)


def carry_table(value: Any, walk: Walk) -> msgspec.msgpack.Ext:
    """A table of any of the three packages as an extension.

    Raises:
        NotCarriedError: it is none of theirs that is carried, or has what Arrow has no form for.
    """
    kind = type(value)
    found = next((name for name, form in _FORMS.items() if form.is_for(value)), None)
    if found is None:
        raise NotCarriedError(f"{kind.__module__}.{kind.__qualname__}")
    try:
        name, stream = _guarded(lambda: _FORMS[found].pack(value))
    except ImportError as error:
        raise NotCarriedError(
            f"a {found}, which needs {error.name} to be passed; install {error.name}"
        ) from error
    except NotCarriedError:
        raise
    except Exception as error:
        raise NotCarriedError(f"a {found} that Arrow can't hold ({_one_line(error)})") from error
    data = bytes(stream.as_bytes()) if walk.takes_inline(stream.nbytes) else walk.attach(stream)
    return msgspec.msgpack.Ext(TABLE, _encoder.encode(_Head(found, name, data)))


def read_table(data: memoryview, arrival: Arrival) -> Any:
    """The table of an extension.

    Raises:
        ValueError: it is none.
        ImportError: its package is not installed here.
    """
    head = _decoder.decode(data)
    form = _FORMS.get(head.form)
    if form is None:
        raise ValueError(f"a table of the form {head.form[:40]!r}")
    content = arrival.content(head.data)
    try:
        return _guarded(lambda: form.unpack(head.name, content, is_trusted=arrival.is_trusted))
    except (ImportError, MemoryError):
        raise
    except Exception as error:
        # Whatever the package finds wrong with it, the sender is to blame.
        raise ValueError(f"a damaged {head.form}: {_one_line(error)}") from error


def _guarded(work: Callable[[], Any]) -> Any:
    """Run something of a package's, with its panics as errors."""
    try:
        return work()
    except Exception:
        raise
    except BaseException as error:
        if type(error).__name__ == _PANIC:
            raise ValueError(str(error)) from error
        raise


def _one_line(error: BaseException) -> str:
    words = "; ".join(str(part) for part in error.args) or type(error).__name__
    return " ".join(words.split())[:300]


_FORMS: Mapping[str, Form] = MappingProxyType(
    {**pandas_forms.FORMS, **polars_forms.FORMS, **arrow_forms.FORMS}
)
