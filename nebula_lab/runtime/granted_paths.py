"""Whether the files that a plugin was granted are there, and are still those that were meant."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nebula_lab.errors import LoadFailedError
from nebula_lab.model import PluginCapability, PluginDescriptor, SecurityConfig
from nebula_lab.model.policy import EffectivePolicy, rights_of

_MOST_LINKS = 40  # as the kernel counts


def writable_by(descriptors: Iterable[PluginDescriptor], security: SecurityConfig) -> set[Path]:
    """The folders that some plugin may write to, by their real paths."""
    found = set()
    for descriptor in descriptors:
        rights = rights_of(descriptor, security)
        if rights.has(PluginCapability.FILE_SYSTEM):
            found |= {one.path.resolve() for one in rights.paths or () if one.mode == "rw"}
    return found


def require_paths(
    descriptor: PluginDescriptor, policy: EffectivePolicy, writable: set[Path]
) -> None:
    """Refuse a plugin that would not find what it was granted, or something else in its place.

    A plugin that may write to a folder could put a link there, in the place of something that
    another plugin was granted, or it itself, and so give away what the link leads to.

    Args:
        descriptor: the plugin.
        policy: what it may do.
        writable: where any plugin may write.

    Raises:
        LoadFailedError: a path is not there, or there is such a link on the way to it.
    """
    if not policy.rights.has(PluginCapability.FILE_SYSTEM):
        return
    where = descriptor.declared_in.path if descriptor.declared_in else descriptor.path
    for allowed in policy.rights.paths or ():
        link = _link_within(allowed.path, writable)
        if link is not None:
            raise LoadFailedError(
                f"is to use {allowed.path}, but {link} on the way is a link, in a folder that "
                "a plugin may write to",
                plugin_id=descriptor.id,
                path=where,
                hint="Look where it leads; a plugin may have made it. Put what was meant in its "
                "place, or name that in allowed_paths.",
            )
        if not allowed.path.exists():
            raise LoadFailedError(
                f"is to use {allowed.path}, which is not there",
                plugin_id=descriptor.id,
                path=where,
                hint="Make it, or take it out of allowed_paths.",
            )


def _link_within(path: Path, writable: set[Path]) -> Path | None:
    """The first symbolic link on the way to `path` that lies in one of these folders."""
    done, left = Path("/"), list(path.parts[1:])[::-1]
    links = 0
    while left and links < _MOST_LINKS:
        part = left.pop()
        if part == "..":
            done = done.parent
            continue
        here = done / part
        if not here.is_symlink():
            done = here
            continue
        if any(done.is_relative_to(folder) for folder in writable):
            return here
        links += 1
        target = Path(os.readlink(here))  # noqa: PTH115 - as it is written
        if target.is_absolute():
            done = Path("/")
        left += [one for one in target.parts if one != "/"][::-1]
    return None
