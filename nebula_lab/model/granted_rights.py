"""The rights that a plugin gets: what it asks for, cut down to what the configuration allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from nebula_lab.model.capability import PluginCapability
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.host_overlap import overlap
from nebula_lab.model.real_path import Link, follow
from nebula_lab.model.rights import AllowedPath
from nebula_lab.model.sandbox_choice import mode_for
from nebula_lab.model.sandbox_mode import SandboxMode
from nebula_lab.model.security import SecurityConfig


@dataclass(frozen=True, slots=True)
class GrantedPath:
    """A file or folder that a plugin may use, by where it really is.

    Attributes:
        path: without symbolic links; what holds is decided about this one.
        mode: `ro` or `rw`.
        links: those on the way from what was written, in their order.
    """

    path: Path
    mode: Literal["ro", "rw"] = "ro"
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Rights:
    """What a plugin may do.

    Attributes:
        capabilities: those that it asked for and the configuration allows.
        refused: those that it asked for in vain.
        paths: the files that it may use, if it has FileSystem; None is all that the user may.
        hosts: whom it may reach, if it has Network; None is everyone.
        variables: names of environment variables that it gets besides the harmless ones; None is
            all.
    """

    capabilities: frozenset[PluginCapability]
    refused: tuple[PluginCapability, ...]
    paths: tuple[GrantedPath, ...] | None
    hosts: tuple[str, ...] | None
    variables: tuple[str, ...] | None

    def has(self, capability: PluginCapability) -> bool:
        return capability in self.capabilities

    @property
    def sees_all_files(self) -> bool:
        return self.has(PluginCapability.FILE_SYSTEM) and self.paths is None


def rights_of(descriptor: PluginDescriptor, allowed: SecurityConfig) -> Rights:
    """What a plugin may do: what it asks for, cut down to what the configuration allows."""
    asked = descriptor.security
    granted = frozenset(asked.capabilities) & frozenset(allowed.capabilities)
    refused = tuple(one for one in dict.fromkeys(asked.capabilities) if one not in granted)
    if mode_for(descriptor, allowed) is SandboxMode.NONE and not descriptor.is_component:
        everything = frozenset(PluginCapability)
        return Rights(everything, (), None, None, None)
    return Rights(
        granted,
        refused,
        _paths(requested_paths(descriptor), allowed.allowed_paths),
        _hosts(asked.allowed_hosts, allowed.allowed_hosts),
        _variables(asked.allowed_variables, allowed.allowed_variables),
    )


def requested_paths(descriptor: PluginDescriptor) -> tuple[GrantedPath, ...]:
    """The files that a plugin names, by where they really are."""
    place = descriptor.declared_in
    folder = (descriptor.path if place is None else place.path).parent
    return tuple(_followed(one, folder) for one in descriptor.security.allowed_paths)


def _followed(one: AllowedPath, folder: Path) -> GrantedPath:
    found = follow(folder / one.path.expanduser())
    return GrantedPath(found.path, one.mode, found.links)


def _paths(
    asked: tuple[GrantedPath, ...], written: tuple[AllowedPath, ...] | None
) -> tuple[GrantedPath, ...] | None:
    """The overlap; None is all. A plugin that names nothing asks for all that it may have."""
    if written is None:
        return _outermost(asked) or None
    allowed = tuple(_followed(one, Path()) for one in written)
    return _outermost(tuple(_within(asked, allowed)) if asked else allowed)


def _outermost(paths: tuple[GrantedPath, ...]) -> tuple[GrantedPath, ...]:
    """Without what lies in a folder that may be written to.

    That folder has it already; and a plugin could put a link in its place, to be given what the
    link leads to when it is started again.
    """
    writable = [one.path for one in paths if one.mode == "rw"]
    return tuple(
        one
        for one in paths
        if not any(one.path != path and one.path.is_relative_to(path) for path in writable)
    )


def _within(asked: Iterable[GrantedPath], allowed: Iterable[GrantedPath]) -> Iterator[GrantedPath]:
    for one in asked:
        for other in allowed:
            mode: Literal["ro", "rw"] = "rw" if one.mode == other.mode == "rw" else "ro"
            if one.path.is_relative_to(other.path):
                yield replace(one, mode=mode)
            elif other.path.is_relative_to(one.path):
                yield replace(other, mode=mode, links=(*one.links, *other.links))


def _hosts(asked: tuple[str, ...], allowed: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if allowed is None:
        return asked or None
    return overlap(asked, allowed) if asked else allowed


def _variables(asked: tuple[str, ...], allowed: tuple[str, ...] | None) -> tuple[str, ...]:
    return asked if allowed is None else tuple(one for one in asked if one in allowed)
