"""numpy arrays and scalars: of any element type without Python objects, in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from nebula_lab.wire.carrying import ARRAY, Arrival, NotCarriedError, Walk
from nebula_lab.wire.dtypes import describe_dtype, element_count, read_dtype
from nebula_lab.wire.parcel import Attachment

if TYPE_CHECKING:
    import numpy as np

# Elements of no bytes take no room, so nothing else bounds how many are announced.
_MAX_EMPTY_ELEMENTS = 2**31


class _Head(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An array without its elements, or with them when they are few."""

    dtype: Any
    shape: list[int]
    is_fortran: bool
    is_scalar: bool
    data: bytes | int


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Head)


def carry_array(value: Any, walk: Walk) -> msgspec.msgpack.Ext:
    """An array or scalar of numpy's as an extension.

    Raises:
        NotCarriedError: its elements are not carried, or it is more than an array.
    """
    import numpy as np

    if type(value) in (np.ndarray, np.memmap):
        return _carry(np.asarray(value), False, walk)
    if isinstance(value, np.generic):
        return _carry(np.asarray(value), True, walk)
    raise NotCarriedError(f"{type(value).__module__}.{type(value).__qualname__}")


def _carry(array: np.ndarray[Any, Any], is_scalar: bool, walk: Walk) -> msgspec.msgpack.Ext:
    dtype = describe_dtype(array.dtype)
    is_fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    data: bytes | int
    if walk.takes_inline(array.nbytes):
        data = array.tobytes("F" if is_fortran else "C")
    else:
        data = walk.attach(_attachment(array.T if is_fortran else array))
    head = _Head(dtype, list(array.shape), is_fortran, is_scalar, data)
    return msgspec.msgpack.Ext(ARRAY, _encoder.encode(head))


def _attachment(array: np.ndarray[Any, Any]) -> Attachment:
    """The elements in C order, which is the Fortran order of the transposed array."""
    import numpy as np

    if array.flags.c_contiguous:
        # As bytes, since a structure would be copied field by field.
        flat = array.reshape(-1).view(np.uint8)
        return Attachment(array.nbytes, lambda target: _copy(flat, target), flat.data)
    return Attachment(array.nbytes, lambda target: _copy(array, target))


def _copy(array: np.ndarray[Any, Any], target: memoryview) -> None:
    """By numpy, which lets go of the GIL meanwhile."""
    import numpy as np

    np.copyto(np.ndarray(array.shape, array.dtype, buffer=target), array)


def memory_owner(value: Any) -> Any:
    """The object whose memory an array shows, which may be itself; None for what is no array."""
    import numpy as np

    if not isinstance(value, np.ndarray):
        return None
    owner: Any = value
    while isinstance(owner, np.ndarray) and owner.base is not None:
        owner = owner.base
    return owner


def share_memory(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> bool:
    """Whether a change of one array could change the other; True also where that is unclear."""
    import numpy as np

    return bool(np.may_share_memory(one, other))


def read_array(data: memoryview, arrival: Arrival) -> Any:
    """The array or scalar of an extension.

    Raises:
        ValueError: it is none.
        ImportError: numpy is not installed here.
    """
    import numpy as np

    head = _decoder.decode(data)
    dtype = read_dtype(head.dtype)
    count = element_count(head.shape)
    content = arrival.content(head.data)
    if count * dtype.itemsize != content.nbytes:
        raise ValueError("an array that does not have the bytes of its elements")
    if not dtype.itemsize and count > _MAX_EMPTY_ELEMENTS:
        raise ValueError("an array of too many empty elements")
    array: np.ndarray[Any, Any] = np.ndarray(
        tuple(head.shape),
        dtype,
        buffer=content.buffer,
        offset=content.offset,
        order="F" if head.is_fortran else "C",
    )
    if head.is_scalar:
        return _scalar(array)
    return _owned(array, head, arrival)


def _scalar(array: np.ndarray[Any, Any]) -> Any:
    if array.shape:
        raise ValueError("a scalar of several elements")
    return array.copy()[()]


def _owned(array: np.ndarray[Any, Any], head: _Head, arrival: Arrival) -> np.ndarray[Any, Any]:
    """The array with the rights that its receiver has."""
    if arrival.is_frozen:
        array.flags.writeable = False
        return array
    # What came in the message is a part of it, which nobody may write to.
    return array.copy("K") if isinstance(head.data, bytes) else array
