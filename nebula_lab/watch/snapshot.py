"""What the files of a plugin are at one moment: the files that a load would collect."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from msgspec import Struct

from nebula_lab.errors import StoreError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.contents import PluginFiles, StoredFile
from nebula_lab.watch.names import is_passing

__all__ = ["Snapshot", "take", "lasting"]


class Snapshot(Struct, frozen=True):
    """The files of a plugin; equal ones have equal bytes under equal names.

    Attributes:
        files: with the hash of each.
        missing: whether there is no source any more.
        fault: why the files could not be read.
    """

    files: tuple[StoredFile, ...] = ()
    missing: bool = False
    fault: str = ""

    def changed_since(self, former: Snapshot) -> tuple[str, ...]:
        """The paths, within the plugin, of what is new, gone or different."""
        return tuple(sorted({file.path for file in {*self.files} ^ {*former.files}}))


def take(descriptor: PluginDescriptor) -> Snapshot:
    """Read a plugin's files as a load would; nothing of it runs."""
    if not os.path.lexists(descriptor.path):
        return Snapshot(missing=True)
    try:
        return Snapshot(lasting(collect(descriptor).files))
    except StoreError as error:
        return Snapshot(fault=str(error))


def lasting(files: PluginFiles) -> tuple[StoredFile, ...]:
    """The files without those that an editor leaves beside the one that it saves."""
    return tuple(
        file for file in files.files if not any(map(is_passing, PurePosixPath(file.path).parts))
    )
