"""What is in a folder of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from nebula_lab.discovery import FileSystemDiscoverer
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.discovery_strategy import FileSystem
from nebula_lab.model.release import Release
from nebula_lab.registry.installing.folder import PluginFolder
from nebula_lab.registry.installing.record import Installed

__all__ = ["Present", "present_in"]


class Present(Struct, frozen=True):
    """A plugin that is in the folder.

    Attributes:
        release: its version.
        descriptor: what it says of itself.
        record: what is remembered of how it came there; None for one of somebody's own.
    """

    release: Release
    descriptor: PluginDescriptor
    record: Installed | None


def present_in(folder: Path, search: FileSystem) -> Mapping[str, Present]:
    """The plugins in a folder, by id.

    Raises:
        InstallError: what is remembered of one can't be read.
    """
    if not folder.is_dir():
        return {}
    records = PluginFolder(folder).installed()
    found = FileSystemDiscoverer(folder, search.pattern, search.recursive).discover()
    return {
        one.id: Present(
            found.release_of(one), one, record if _is_of(record, one.path, folder) else None
        )
        for one in found.descriptors
        for record in [records.get(one.id)]
    }


def _is_of(record: Installed | None, source: Path, folder: Path) -> bool:
    """Whether a record is of the plugin that was found, and not of another of its name."""
    return record is not None and source == folder.absolute() / record.source
