"""Who carries values of types that are not Python's own, by the package that a type is from.

A package is never imported to find out: a value of one of its types is there only if it has been.
So a call that passes nothing but plain values pays nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from nebula_lab.wire.carrying import ARRAY, BYTES, TABLE, Arrival, Walk
from nebula_lab.wire.parcel import whole_bytes

Carrier = Callable[[Any, Walk], Any]
Reader = Callable[[memoryview, Arrival], Any]


def carrier_of(kind: type) -> Carrier | None:
    """What carries values of this type, or None."""
    return _CARRIERS.get(kind.__module__.partition(".")[0])


def reader_of(code: int) -> Reader | None:
    """What reads an extension of this number, or None."""
    return _READERS.get(code)


def _carry_array(value: Any, walk: Walk) -> Any:
    from nebula_lab.wire.arrays import carry_array

    return carry_array(value, walk)


def _carry_table(value: Any, walk: Walk) -> Any:
    from nebula_lab.wire.tables import carry_table

    return carry_table(value, walk)


def _read_array(data: memoryview, arrival: Arrival) -> Any:
    from nebula_lab.wire.arrays import read_array

    return read_array(data, arrival)


def _read_table(data: memoryview, arrival: Arrival) -> Any:
    from nebula_lab.wire.tables import read_table

    return read_table(data, arrival)


def _read_bytes(data: memoryview, arrival: Arrival) -> bytes:
    return whole_bytes(arrival.content(int.from_bytes(data, "big")).view())


_CARRIERS: Mapping[str, Carrier] = MappingProxyType(
    {
        "numpy": _carry_array,
        "pandas": _carry_table,
        "polars": _carry_table,
        "pyarrow": _carry_table,
    }
)
_READERS: Mapping[int, Reader] = MappingProxyType(
    {ARRAY: _read_array, TABLE: _read_table, BYTES: _read_bytes}
)
