"""Values with attachments: bytes that are too many to be in the message travel beside it."""

from __future__ import annotations

import abc
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import msgspec

    from nebula_lab.wire.encoded import EncodedValue

# Below, bytes are in the message itself; from here on they are an attachment. An echo takes as long
# either way at 32 to 64 kB, half as long by a segment at 128 kB and an eighth at 1 MB.
THRESHOLD = 64 * 1024
# What the attachments of one message may have together, in bytes.
MAX_FREIGHT = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Attachment:
    """Bytes that are still where the value has them.

    Attributes:
        nbytes: how many there are.
        write: copies them into a buffer of exactly so many bytes.
        flat: the bytes themselves, where they lie in one piece.
    """

    nbytes: int
    write: Callable[[memoryview], None]
    flat: memoryview | None = None

    def as_bytes(self) -> memoryview:
        """The bytes in one piece, copied only where they are not."""
        if self.flat is not None:
            return self.flat
        target = memoryview(bytearray(self.nbytes))
        self.write(target)
        return target


class Parcel:
    """An encoded value that refers to its attachments by their index; for sending."""

    __slots__ = ("attachments", "raw")

    def __init__(self, raw: msgspec.Raw, attachments: list[Attachment]) -> None:
        self.raw = raw
        self.attachments = attachments

    def take(self) -> list[Attachment]:
        """The attachments, which it has no more: they are to be let go of once they are copied."""
        taken, self.attachments = self.attachments, []
        return taken

    @property
    def nbytes(self) -> int:
        """The bytes of all attachments."""
        return sum(attachment.nbytes for attachment in self.attachments)


class Content:
    """The bytes of an attachment that has arrived.

    Args:
        memory: has them.
        offset: where they begin in it.
        nbytes: how many there are.
        keeper: gives what to keep instead of `memory`, where that is to be used again.
    """

    __slots__ = ("_keeper", "_memory", "nbytes", "offset")

    def __init__(
        self, memory: Any, offset: int, nbytes: int, keeper: Callable[[], Any] | None = None
    ) -> None:
        self._memory = memory
        self._keeper = keeper
        self.offset = offset
        self.nbytes = nbytes

    @property
    def buffer(self) -> Any:
        """What has the bytes; whoever keeps them has to keep this, or an export of it.

        Asked for after the package that is to keep them has been imported.
        """
        return self._memory if self._keeper is None else self._keeper()

    def view(self) -> memoryview:
        """The bytes, for reading or writing them at once, and no longer than this is kept."""
        return memoryview(self._memory)[self.offset : self.offset + self.nbytes]


class Behind:
    """Bytes that follow a message on the socket, and where they are to go.

    Args:
        targets: buffers to fill, in this order; or, where there is no room, how many bytes to
            read and drop.
    """

    _SCRATCH = 64 * 1024

    def __init__(self, targets: Iterable[memoryview | int]) -> None:
        self._left = deque(target for target in targets if target)
        self._scratch: memoryview | None = None

    @property
    def target(self) -> memoryview | None:
        """Where the next bytes go; None when there are no more."""
        if not self._left:
            return None
        first = self._left[0]
        if isinstance(first, memoryview):
            return first
        if self._scratch is None:
            self._scratch = memoryview(bytearray(self._SCRATCH))
        return self._scratch[:first]

    def advance(self, count: int) -> None:
        """Note that so many bytes have gone into `target`."""
        first = self._left.popleft()
        rest = first[count:] if isinstance(first, memoryview) else first - count
        if rest:
            self._left.appendleft(rest)


class Delivery(abc.ABC):
    """An encoded value that has arrived with attachments.

    Attributes:
        raw: the value; it refers to its attachments by their index.
        behind: what of them is still to come on the socket.
        is_trusted: it comes from the manager, which has checked what it sends.
    """

    __slots__ = ("behind", "is_trusted", "raw")

    def __init__(self, raw: msgspec.Raw, behind: Behind, *, is_trusted: bool) -> None:
        self.raw = raw
        self.behind = behind
        self.is_trusted = is_trusted

    @property
    @abc.abstractmethod
    def nbytes(self) -> int:
        """The bytes of all attachments, as announced."""

    @abc.abstractmethod
    def open(self) -> tuple[Content, ...]:
        """The attachments, by index; to be asked for once.

        Raises:
            MemoryError: there is no room for them.
        """


def whole_bytes(content: memoryview) -> bytes:
    """The bytes of a view, which are not copied where they are all that its object has."""
    whole = content.obj
    return whole if type(whole) is bytes and len(whole) == content.nbytes else bytes(content)


def size_of(encoded: EncodedValue) -> int:
    """Bytes that a value which has arrived takes, with what travels beside it."""
    if isinstance(encoded, Delivery):
        return len(memoryview(encoded.raw)) + encoded.nbytes
    return len(memoryview(encoded))  # type: ignore[arg-type]


class LadenError(Exception):
    """A message can't be encoded by itself: its value has attachments."""

    def __init__(self, parcel: Parcel) -> None:
        super().__init__("the value has attachments")
        self.parcel = parcel
