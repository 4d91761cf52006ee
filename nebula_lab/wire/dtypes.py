"""Element types of numpy arrays in words of a closed grammar, and back.

A plain type is numpy's own short word for it (`<f8`, `|S5`, `<M8[ns]`), an inner array is
`["array", type, shape]`, a structure is `["record", itemsize, fields]` with a
`[name, offset, type, title]` for each field, where most titles are null. numpy's constructor of
types reads many other things, some of them with `ast` and one, the object type, as pointers:
nothing reaches it that this grammar does not have.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from nebula_lab.wire.carrying import NotCarriedError

if TYPE_CHECKING:
    import numpy as np

MAX_ITEM_SIZE = 2**30
MAX_DEPTH = 16
MAX_PARTS = 10_000
MAX_DIMENSIONS = 64
_CARRIED = frozenset("biufcmMSUV")
_PLAIN = re.compile(
    r"[<>|=]?(?:b1|[iu][1248]|f(?:2|4|8|12|16)|c(?:8|16|24|32)|(?P<text>[SUV])(?P<size>\d{1,10})"
    r"|[mM]8(?:\[\d{0,9}(?:Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?)\Z"
)


def describe_dtype(dtype: np.dtype[Any]) -> Any:
    """The words for an element type.

    Raises:
        NotCarriedError: it holds Python objects, or is too large to be described.
    """
    return _Describing().describe(dtype, 0)


class _Describing:
    def __init__(self) -> None:
        self._parts = 0

    def describe(self, dtype: np.dtype[Any], depth: int) -> Any:
        self._parts += 1
        if depth > MAX_DEPTH or self._parts > MAX_PARTS:
            raise NotCarriedError("an array whose elements have too many parts")
        if dtype.subdtype is not None:
            inner, shape = dtype.subdtype
            return ["array", self.describe(inner, depth + 1), list(shape)]
        if dtype.fields is not None or dtype.names is not None:
            return ["record", dtype.itemsize, self._fields(dtype, depth)]
        if dtype.hasobject or dtype.kind not in _CARRIED or dtype.itemsize > MAX_ITEM_SIZE:
            raise NotCarriedError(f"an array of the element type {dtype}")
        return dtype.str

    def _fields(self, dtype: np.dtype[Any], depth: int) -> list[Any]:
        return [self._field(dtype, name, depth) for name in dtype.names or ()]

    def _field(self, dtype: np.dtype[Any], name: str, depth: int) -> list[Any]:
        fields: Any = dtype.fields
        inner, offset, *titles = fields[name]
        if not all(type(title) is str for title in titles):
            raise NotCarriedError(f"an array whose field {name!r} has a title that is no text")
        return [name, offset, self.describe(inner, depth + 1), *(titles or [None])]


def read_dtype(words: Any) -> np.dtype[Any]:
    """The element type that the words are for.

    Raises:
        ValueError: they are no words of the grammar, or for no possible type.
    """
    return _Reading().read(words, 0)


class _Reading:
    def __init__(self) -> None:
        self._parts = 0

    def read(self, words: Any, depth: int) -> np.dtype[Any]:
        import numpy as np

        self._parts += 1
        if depth > MAX_DEPTH or self._parts > MAX_PARTS:
            raise ValueError("an element type of too many parts")
        if isinstance(words, str):
            return np.dtype(_checked_plain(words))
        match words:
            case ["array", inner, [*shape]]:
                return self._array(inner, shape, depth)
            case ["record", int(itemsize), [*fields]]:
                return self._record(itemsize, fields, depth)
        raise ValueError("an element type of an unknown kind")

    def _array(self, inner: Any, shape: list[Any], depth: int) -> np.dtype[Any]:
        import numpy as np

        dtype = self.read(inner, depth + 1)
        if element_count(shape) * max(dtype.itemsize, 1) > MAX_ITEM_SIZE:
            raise ValueError("an element type of too many bytes")
        return np.dtype((dtype, tuple(shape)))

    def _record(self, itemsize: int, fields: list[Any], depth: int) -> np.dtype[Any]:
        import numpy as np

        if not 0 <= itemsize <= MAX_ITEM_SIZE:
            raise ValueError("a structure of an impossible size")
        parts: dict[str, Any] = {"names": [], "formats": [], "offsets": [], "titles": []}
        for field in fields:
            name, offset, words, title = _checked_field(field)
            inner = self.read(words, depth + 1)
            if offset + inner.itemsize > itemsize:
                raise ValueError("a field that does not lie in its structure")
            for key, part in zip(parts, (name, inner, offset, title), strict=True):
                parts[key].append(part)
        layout: Any = {**parts, "itemsize": itemsize}
        dtype: np.dtype[Any] = np.dtype(layout)
        return dtype


def _checked_plain(words: str) -> str:
    found = _PLAIN.match(words)
    if found is None:
        raise ValueError(f"the element type {words[:40]!r} is not known")
    width = 4 if found["text"] == "U" else 1
    if found["size"] and int(found["size"]) * width > MAX_ITEM_SIZE:
        raise ValueError("an element type of too many bytes")
    return words


def _checked_field(field: Any) -> tuple[str, int, Any, str | None]:
    match field:
        case [str(name), int(offset), words, str() | None as title] if offset >= 0:
            return name, offset, words, title
    raise ValueError("a structure with a field that is none")


def element_count(shape: list[Any]) -> int:
    """How many elements an array of this shape has.

    Raises:
        ValueError: no array has this shape.
    """
    if len(shape) > MAX_DIMENSIONS or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("a shape that is none")
    return math.prod(shape)
