"""What comes out of the sandbox of a build: a line that says what it is, and a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from nebula_lab.environments.source_error import SourceError

__all__ = ["SourceAnswer"]

_LARGEST_HEAD = 256 * 1024  # bytes
_LARGEST_WHEEL = 2**30


class _Head(Struct, frozen=True, forbid_unknown_fields=True):
    """The first line of an answer: what is still missing, or which wheel follows."""

    requires: tuple[str, ...] = ()
    wheel: str = ""
    size: int = 0


class SourceAnswer:
    """An answer as it comes in, of which nothing is believed.

    Args:
        path: where the wheel is written.
    """

    def __init__(self, path: Path) -> None:
        self.head: _Head | None = None
        self._path = path
        self._line = b""
        self._file: IO[bytes] | None = None
        self._size = 0

    def __enter__(self) -> None:
        self._file = self._path.open("xb")

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def is_whole(self) -> bool:
        """Whether all of it is there, and no more."""
        head = self.head
        return head is not None and self._size == head.size and bool(head.wheel or head.requires)

    def take(self, piece: bytes) -> None:
        """The next piece.

        Raises:
            SourceError: it is none of an answer, or too much.
        """
        if self.head is None:
            line, end, piece = (self._line + piece).partition(b"\n")
            self._line = line
            if len(line) > _LARGEST_HEAD:
                raise _nonsense("a name that has no end")
            if not end:
                return
            try:
                self.head = msgspec.json.decode(line, type=_Head)
            except msgspec.MsgspecError as error:
                raise _nonsense("nothing that a build answers") from error
            if not 0 <= self.head.size <= _LARGEST_WHEEL:
                raise _nonsense(f"a wheel of more than {_LARGEST_WHEEL // 2**20} MiB")
        self._size += len(piece)
        if self._size > self.head.size:
            raise _nonsense("more than it had announced")
        assert self._file is not None
        self._file.write(piece)


def _nonsense(gave: str) -> SourceError:
    return SourceError(
        f"its build from source gave {gave}",
        "It is not installed. Ask for another version, or for one that has a wheel.",
    )
