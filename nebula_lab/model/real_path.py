"""Where a path really leads, found out once: each link on the way is read a single time."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

__all__ = ["Link", "FollowedPath", "follow"]

_MOST_LINKS = 40  # as the kernel counts


class Link(Struct, frozen=True):
    """A symbolic link that was met.

    Attributes:
        path: where it is; its folder is a real path.
        target: what it says, as it is written.
    """

    path: Path
    target: str


class FollowedPath(Struct, frozen=True):
    """A path without links.

    Attributes:
        path: where it leads. What is not there is taken as written.
        links: those on the way there, in their order.
    """

    path: Path
    links: tuple[Link, ...]


def follow(path: Path) -> FollowedPath:
    """Follow the symbolic links of a path; `..` counts from where they lead, as it does in Linux.

    Whoever can change a link may do so at any moment: what is decided about the path has to be
    decided about this value, and what is opened later has to be opened without following links.
    """
    done, left = "/", _parts(str(path.absolute()))
    links: list[Link] = []
    while left:
        part = left.pop()
        if part == "..":
            done = os.path.dirname(done)  # noqa: PTH120 - texts: this is on the way of each load
            continue
        here = os.path.join(done, part)  # noqa: PTH118
        target = _target(here) if len(links) < _MOST_LINKS else None
        if target is None:
            done = here
            continue
        links.append(Link(Path(here), target))
        if target.startswith("/"):
            done = "/"
        left += _parts(target)
    return FollowedPath(Path(done), tuple(links))


def _parts(path: str) -> list[str]:
    """The parts of a path, the first last."""
    return [part for part in path.split("/") if part not in ("", ".")][::-1]


def _target(path: str) -> str | None:
    try:
        return os.readlink(path)  # noqa: PTH115 - as it is written
    except OSError:  # no link, or not there, or not to be seen
        return None
