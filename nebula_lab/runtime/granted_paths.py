"""The files that a plugin was granted: what they are, once and for all, and what of them it sees.

What is decided here is decided about one thing on the disk, by its device and inode, and that
thing is what its host is given, wherever links lead by then.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from msgspec import Struct

from nebula_lab.confine.grants import Grant, open_without_links
from nebula_lab.errors import LoadFailedError
from nebula_lab.model import PluginCapability, PluginDescriptor, SecurityConfig
from nebula_lab.model.granted_rights import GrantedPath, rights_of
from nebula_lab.model.policy import EffectivePolicy
from nebula_lab.runtime.plugin_places import PluginPlaces
from nebula_lab.sandbox.base import Grants

_ROOT, _PROC, _DEV, _SYS = map(Path, ("/", "/proc", "/dev", "/sys"))


class Surrounding(Struct, frozen=True):
    """What is around the files of one plugin.

    Attributes:
        writable: where any plugin may write; see `writable_by`.
        kept: real paths of our own folders.
        places: of plugins.
        can_hide: whether something can be hidden in what a plugin sees.
    """

    writable: Collection[Path]
    kept: tuple[Path, ...]
    places: PluginPlaces
    can_hide: bool


def writable_by(descriptors: Iterable[PluginDescriptor], security: SecurityConfig) -> set[Path]:
    """The folders that some plugin may write to, by their real paths."""
    found = set()
    for descriptor in descriptors:
        rights = rights_of(descriptor, security)
        if rights.has(PluginCapability.FILE_SYSTEM):
            found |= {one.path for one in rights.paths or () if one.mode == "rw"}
    return found


def grants_for(
    descriptor: PluginDescriptor, policy: EffectivePolicy, surrounding: Surrounding
) -> Grants:
    """What a host of a plugin is given, or why the plugin is refused.

    Args:
        descriptor: the plugin.
        policy: what it may do.
        surrounding: what else there is.

    Raises:
        LoadFailedError: something that it was granted is not there, or can't be given to it
            without more.
    """
    if not policy.rights.has(PluginCapability.FILE_SYSTEM) or not policy.rights.paths:
        return Grants()
    hidden = _always_hidden(policy.rights.paths, surrounding)
    given = []
    for one in policy.rights.paths:
        inside = _hidden_in(one, surrounding)
        reason = _objection(one, surrounding) or _unhidable(one, inside, surrounding)
        if reason is not None:
            raise _refusal(descriptor, one, *reason)
        given.append(_opened(descriptor, one))
        hidden += inside
    return Grants(tuple(given), tuple(dict.fromkeys(map(str, hidden))))


def _opened(descriptor: PluginDescriptor, one: GrantedPath) -> Grant:
    try:
        opened = open_without_links(str(one.path))
    except OSError as error:
        what = "which is not there" if not one.path.exists() else f"which is no more: {error}"
        hint = "Make it, or take it out of allowed_paths."
        raise _refusal(descriptor, one, what, hint) from error
    try:
        found = os.fstat(opened)
    finally:
        os.close(opened)
    links = tuple((str(link.path), link.target) for link in one.links)
    return Grant(str(one.path), found.st_dev, found.st_ino, one.mode == "rw", links)


def _refusal(
    descriptor: PluginDescriptor, one: GrantedPath, what: str, hint: str
) -> LoadFailedError:
    verb = "write" if one.mode == "rw" else "use"
    where = descriptor.declared_in.path if descriptor.declared_in else descriptor.path
    return LoadFailedError(
        f"is to {verb} {one.path}, {what}", plugin_id=descriptor.id, path=where, hint=hint
    )


# What is hidden


def _always_hidden(paths: Iterable[GrantedPath], around: Surrounding) -> list[Path]:
    """Ours, and the folder of plugins unless that is what was granted."""
    searched = around.places.searched
    if searched is None or any(one.path == searched for one in paths):
        return [*around.kept]
    return [*around.kept, searched]


def _hidden_in(one: GrantedPath, around: Surrounding) -> list[Path]:
    """What lies in something that was granted and is not to be seen there."""
    places = around.places
    found = [*around.kept]
    if one.mode == "rw":
        found += places.folders
    else:
        found += [places.searched] if places.searched is not None else []
        found += [path for place in places.others for path in place.own]
    return [path for path in dict.fromkeys(found) if _is_below(path, one.path)]


def _unhidable(one: GrantedPath, inside: list[Path], around: Surrounding) -> tuple[str, str] | None:
    if around.can_hide or not inside:
        return None
    return (
        f"which has {inside[0]} in it, and nothing on this machine would hide that: there are no "
        "namespaces",
        "Name what it needs in there in allowed_paths, and not all of it; or have the machine let "
        "ordinary users make namespaces, as «nebula-lab doctor» says.",
    )


# What can't be given


def _link(one: GrantedPath, around: Surrounding) -> tuple[str, str] | None:
    """A plugin could put a link in the place of what another was granted, and so give that away."""
    for link in one.links:
        if any(link.path.is_relative_to(folder) for folder in around.writable):
            return (
                f"but {link.path} on the way is a link, in a folder that a plugin may write to",
                "Look where it leads; a plugin may have made it. Put what was meant in its place, "
                "or name that in allowed_paths.",
            )
    return None


def _kernel(one: GrantedPath, around: Surrounding) -> tuple[str, str] | None:
    path, writes = one.path, one.mode == "rw"
    if path == _ROOT:
        return (
            "which is everything",
            "Name the folders that it needs. For all that you may use yourself, leave "
            "allowed_paths out.",
        )
    if path == _DEV or path.is_relative_to(_PROC) or (writes and path.is_relative_to(_SYS)):
        return "which is the kernel's", "Name the single files or devices that it needs, if any."
    return None


def _kept(one: GrantedPath, around: Surrounding) -> tuple[str, str] | None:
    for folder in around.kept:
        if one.path.is_relative_to(folder):
            return (
                f"which is in {folder}: nebula_lab's or Jupyter's own files are for no plugin",
                "Take it out of allowed_paths.",
            )
    return None


def _of_others(one: GrantedPath, around: Surrounding) -> tuple[str, str] | None:
    owner = around.places.owner_of(one.path)
    if owner is None:
        return None
    return (
        f"which is a file of the plugin {owner}",
        f"Call that one: self.context.call({owner!r}, …). Or put what both need elsewhere.",
    )


def _plugins(one: GrantedPath, around: Surrounding) -> tuple[str, str] | None:
    """What is written there could be a plugin the next time, or give this one other rights."""
    places = around.places
    if one.mode != "rw":
        return None
    if one.path in places.folders or one.path in places.mine.own:
        what = "where there are files of plugins: it could rewrite what it is"
    elif places.may_become_plugin(one.path):
        what = "where plugins are looked for: whatever it put there could be one"
    else:
        return None
    return what, "Name a folder that is for its data alone, outside the folder of plugins."


_OBJECTIONS: tuple[Callable[[GrantedPath, Surrounding], tuple[str, str] | None], ...] = (
    _link,
    _kernel,
    _kept,
    _of_others,
    _plugins,
)


def _is_below(path: Path, folder: Path) -> bool:
    return path != folder and path.is_relative_to(folder)


def _objection(one: GrantedPath, around: Surrounding) -> tuple[str, str] | None:
    return next((found for object_ in _OBJECTIONS if (found := object_(one, around))), None)
