"""Where plugins' own files are, which other plugins neither see nor write."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from nebula_lab.model import PluginConfig, PluginDescriptor
from nebula_lab.model.discovery_strategy import EntryPoints, FileSystem


class Place(Struct, frozen=True):
    """One plugin's files, by their real paths.

    Attributes:
        plugin_id: the plugin.
        source: its file or folder.
        files: where it is described, which may be the source itself.
        folders: those that have its files directly in them.
    """

    plugin_id: str
    source: Path
    files: tuple[Path, ...]
    folders: tuple[Path, ...]

    @property
    def own(self) -> tuple[Path, ...]:
        """All that is the plugin's."""
        return tuple(dict.fromkeys((self.source, *self.files)))


class PluginPlaces(Struct, frozen=True):
    """Those of one manager.

    Attributes:
        searched: the folder that is searched for plugins; None where none is.
        mine: of the plugin that is looked at.
        others: of all others, but those that are installed in Python's environment, which all see.
    """

    searched: Path | None
    mine: Place
    others: tuple[Place, ...]

    @property
    def folders(self) -> Iterator[Path]:
        """Where a file that is written could become a plugin, or a part of one."""
        if self.searched is not None:
            yield self.searched
        for place in (self.mine, *self.others):
            yield from place.folders

    def may_become_plugin(self, path: Path) -> bool:
        """Whether a file below this one would be looked at when plugins are searched for."""
        if self.searched is None or not path.is_relative_to(self.searched):
            return False
        packages = [one for one in self.mine.folders if one != self.searched]
        if self.mine.source == self.searched:
            packages.append(self.searched)
        return not any(path != one and path.is_relative_to(one) for one in packages)

    def owner_of(self, path: Path) -> str | None:
        """The other plugin that something belongs to."""
        for place in self.others:
            if any(path.is_relative_to(one) for one in place.own):
                return place.plugin_id
        return None


def places_of(
    descriptor: PluginDescriptor, all_of_them: Iterable[PluginDescriptor], config: PluginConfig
) -> PluginPlaces:
    """Where the files of a plugin are, and those of the others."""
    is_searched = config.plugin_dir is not None and isinstance(config.discovery, FileSystem)
    searched = _real(config.plugin_dir) if is_searched and config.plugin_dir else None
    are_seen = isinstance(config.discovery, EntryPoints)
    others = (one for one in all_of_them if one.id != descriptor.id and not are_seen)
    return PluginPlaces(searched, _place(descriptor), tuple(map(_place, others)))


def _place(descriptor: PluginDescriptor) -> Place:
    source = _real(descriptor.path)
    described = (descriptor.declared_in, descriptor.rights_declared_in)
    files = tuple(_real(one.path) for one in described if one is not None)
    folder = source if source.is_dir() else source.parent
    return Place(descriptor.id, source, files, (folder, *(file.parent for file in files)))


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))
