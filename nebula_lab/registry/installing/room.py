"""Whether there is room on the disk that will be written to."""

from __future__ import annotations

import os
from pathlib import Path

from nebula_lab.errors import InstallError

__all__ = ["require_room"]

# Bytes beyond what the files have: folders, records, and whoever else writes meanwhile.
_SPARE = 2**20


def require_room(folder: Path, needed: int) -> None:
    """Refuse to begin what the disk has no room for.

    Args:
        folder: where it will be written, perhaps by way of links; it need not be there yet.
        needed: bytes.

    Raises:
        InstallError: there is less room.
    """
    place = Path(os.path.realpath(folder))
    while not place.exists():
        place = place.parent
    try:
        found = os.statvfs(place)
    except OSError:
        return  # a file system that does not say; writing will show
    # One that counts nothing, such as some of those over a network, says that it has no blocks.
    free = found.f_bavail * found.f_frsize
    if found.f_blocks and free < needed + _SPARE:
        raise InstallError(
            f"there is no room: the files have {needed / 1e6:,.1f} MB, and the disk of {place} has "
            f"{free / 1e6:,.1f} MB left",
            path=folder,
            hint="Nothing was changed. Make room there.",
        )
