"""Writes the files of an archive that has been checked."""

from __future__ import annotations

import os
from pathlib import Path

from nebula_lab.trust.contents import CollectedPlugin

__all__ = ["write_files"]


def write_files(collected: CollectedPlugin, folder: Path) -> None:
    """Write a plugin's files below a folder that is new, for their owner to change.

    Raises:
        OSError: they can't be written.
    """
    folder.mkdir(parents=True)
    for file in collected.files.files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        mode = 0o777 if file.executable else 0o666
        # New, so that it follows no link, whoever may have put one there meanwhile.
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as writing:
            writing.write(collected.contents[file.path])
            writing.flush()
            os.fsync(writing.fileno())
