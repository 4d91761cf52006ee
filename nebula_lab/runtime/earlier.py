"""An earlier version of a plugin, as the content store has it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from nebula_lab.discovery import read_descriptor
from nebula_lab.model import PluginDescriptor
from nebula_lab.model.descriptor import SourceLocation
from nebula_lab.trust.contents import CollectedPlugin
from nebula_lab.trust.history import StoredVersion
from nebula_lab.trust.store import ContentStore


def collected_again(
    store: ContentStore, version: StoredVersion, current: PluginDescriptor
) -> CollectedPlugin:
    """The files of an earlier version, as if they had been read from disk now.

    Raises:
        StoreError: they can't be had, or not as they were.
    """
    files = store.tree(version.digest)
    return CollectedPlugin(
        current.id,
        version.version,
        current.path.absolute().parent,
        files,
        {file.path: store.read(file) for file in files.files},
        version.description,
    )


def described_again(
    store: ContentStore, collected: CollectedPlugin, current: PluginDescriptor
) -> PluginDescriptor:
    """What an earlier version said of itself, with the paths that it had on disk.

    One that is described by a file elsewhere, such as a list of plugins, has what that says now.

    Raises:
        StoreError: its files can't be had.
        MetadataLoadError: its description can't be read.
    """
    if collected.description is None:
        return current.model_copy()
    with tempfile.TemporaryDirectory(prefix="nebula-earlier-") as name:
        there = Path(name)
        store.materialize(collected.files, there)
        return moved(read_descriptor(there / collected.description), there, collected.folder)


def moved(descriptor: PluginDescriptor, there: Path, here: Path) -> PluginDescriptor:
    """A descriptor of files that are in another folder."""

    def place(location: SourceLocation | None) -> SourceLocation | None:
        if location is None or not location.path.is_relative_to(there):
            return location
        return SourceLocation(here / location.path.relative_to(there), location.line)

    return descriptor.model_copy(
        update={
            "path": here / descriptor.path.relative_to(there),
            "declared_in": place(descriptor.declared_in),
            "rights_declared_in": place(descriptor.rights_declared_in),
            "dependencies": tuple(
                one.model_copy(update={"declared_in": place(one.declared_in)})
                for one in descriptor.dependencies
            ),
        }
    )
