"""Large content, as files in a folder that both ends share. Each is written once and read once."""

from __future__ import annotations

import contextlib
from pathlib import Path

FOLDER = Path("/exchange")


class Exchange:
    """The guest's end of the folder."""

    def __init__(self) -> None:
        self._count = 0

    def put(self, content: memoryview) -> str:
        """Write content into a file of its own; the file's name."""
        self._count += 1
        name = f"g{self._count}"
        with (FOLDER / name).open("wb", buffering=0) as file:
            left = content
            while left:
                left = left[file.write(left) :]
        return name

    def take(self, name: str, *, is_frozen: bool = False) -> memoryview:
        """What the host has written there; it can't be written to in any case."""
        path = FOLDER / Path(name).name
        with path.open("rb", buffering=0) as file:
            content = file.read()  # into one buffer of the file's size
        with contextlib.suppress(OSError):
            path.unlink()
        return memoryview(content)
