"""Arrays and tables of numpy, pandas, polars and Arrow, by what the wire carries them with.

They cross as bytes, so that a manager whose environment lacks the package passes them on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nebula_lab.agent.state.errors import NotKeptError
from nebula_lab.agent.state.forms.base import Form
from nebula_lab.agent.state.naming import shown
from nebula_lab.plugin.plain import is_plain
from nebula_lab.wire.carriers import carrier_of, reader_of
from nebula_lab.wire.carrying import Arrival, NotCarriedError
from nebula_lab.wire.parcel import THRESHOLD, Attachment, Content

if TYPE_CHECKING:
    from nebula_lab.agent.state.reader import Reader
    from nebula_lab.agent.state.writer import Writer


class _Beside:
    """Keeps what is large where it is, until it is sent."""

    def __init__(self) -> None:
        self.attachments: list[Attachment] = []

    def takes_inline(self, nbytes: int) -> bool:
        return nbytes < THRESHOLD

    def attach(self, attachment: Attachment) -> int:
        self.attachments.append(attachment)
        return len(self.attachments) - 1


def is_foreign(kind: type) -> bool:
    """Whether the wire carries values of that package."""
    return carrier_of(kind) is not None


def _parts(value: Any, writer: Writer) -> list[Any]:
    carry = carrier_of(type(value))
    assert carry is not None
    is_array = _package(value) == "numpy"
    if is_array and type(value).__name__ == "memmap":
        raise NotKeptError("a memory-mapped file")
    if is_array:
        _require_own_memory(value, writer)
    walk = _Beside()
    try:
        carried = carry(value, walk)
    except NotCarriedError as error:
        raise NotKeptError(_said(str(error), value)) from error
    pieces = [attachment.as_bytes() for attachment in walk.attachments]
    if _package(value) == "pandas":
        _require_faithful(value, carried.code, carried.data, pieces)
    is_writable = bool(is_array and hasattr(value, "flags") and value.flags.writeable)
    places = [writer.add_piece(piece) for piece in pieces]
    return [carried.code, writer.refer(carried.data, None), places, is_writable]


def _said(reason: str, value: Any) -> str:
    kind = type(value)
    return f"an instance of {shown(kind)}" if reason.endswith(kind.__qualname__) else reason


def _require_own_memory(array: Any, writer: Writer) -> None:
    """Two arrays that show one piece of memory would come back as two pieces."""
    from nebula_lab.wire.arrays import memory_owner, share_memory

    owner = memory_owner(array)
    if owner is None:
        return
    seen = writer.memory.setdefault(id(owner), [])
    for other, attribute in seen:
        can_change = other.flags.writeable or array.flags.writeable
        if can_change and share_memory(other, array):
            raise NotKeptError(f"an array in the memory of another one, in {attribute}")
    seen.append((array, writer.attribute))


def _require_faithful(value: Any, code: int, data: bytes, pieces: list[memoryview]) -> None:
    """Arrow has no form for some of what a frame of objects may hold, and takes what is nearest."""
    try:
        back = _read(code, data, pieces)
        is_same = (
            type(back) is type(value)
            and bool(back.equals(value))
            and getattr(back, "attrs", None) == getattr(value, "attrs", None)
            and getattr(back, "names", None) == getattr(value, "names", None)
        )
    except Exception:  # noqa: BLE001 - comparing runs code of whatever is in there
        is_same = False
    if not is_same:
        raise NotKeptError(f"a {shown(type(value))} that Arrow does not hold as it is")


def _read(code: int, data: Any, pieces: list[Any]) -> Any:
    read = reader_of(code)
    if read is None:
        raise NotKeptError(f"a value of an unknown kind {code}")
    contents = [Content(piece, 0, len(piece)) for piece in pieces]
    return read(memoryview(data), Arrival(contents, is_frozen=False, is_trusted=True))


def _make(parts: list[Any], reader: Reader) -> Any:
    code, data, places, is_writable = parts
    pieces = [reader.pieces[place] for place in places]
    try:
        value = _read(code, reader.value(data), pieces)
    except ImportError as error:
        raise NotKeptError(f"it needs {error.name}, which is not installed here") from error
    if is_writable or _package(value) != "numpy":
        return _own(value)
    if type(value).__name__ == "ndarray":
        value.flags.writeable = False
    return value


def changeable(value: Any) -> Any:
    """A value that came from the manager, with arrays that may be written to."""
    if is_plain(value):
        return value
    if type(value) is dict:
        return {key: changeable(one) for key, one in value.items()}
    if type(value) is list:
        return [changeable(one) for one in value]
    return _own(value) if is_foreign(type(value)) else value


def _own(value: Any) -> Any:
    """Arrays and frames show the bytes that they were read from, which nobody may write to."""
    if _package(value) == "pandas":
        return value.copy()
    if type(value).__name__ == "ndarray" and not value.flags.writeable:
        return value.copy("K")
    return value


def _package(value: Any) -> str:
    return type(value).__module__.partition(".")[0]


FOREIGN = Form("foreign", _parts, _make)
