"""What the files of a plugin are at one moment: the files that a load would collect."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from msgspec import Struct

from nebula_lab.errors import StoreError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.trust.collecting import collect
from nebula_lab.trust.comparing import compared_files
from nebula_lab.trust.contents import PluginFiles, StoredFile, signed_list_path
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


def take(descriptor: PluginDescriptor, *, signed: bool = True) -> Snapshot:
    """Read a plugin's files as a load would; nothing of it runs.

    Args:
        descriptor: of the plugin.
        signed: as in `lasting`; where it makes a difference, all of a notebook does.
    """
    if not os.path.lexists(descriptor.path):
        return Snapshot(missing=True)
    try:
        collected = collect(descriptor)
        files = collected.files if signed else compared_files(collected)
        return Snapshot(lasting(files, signed=signed))
    except StoreError as error:
        return Snapshot(fault=str(error))


def lasting(files: PluginFiles, *, signed: bool = True) -> tuple[StoredFile, ...]:
    """The files that make a difference, without what an editor leaves beside what it saves.

    Args:
        files: all of a plugin.
        signed: whether its signature makes a difference; where none is asked for, to sign a plugin
            changes nothing about it.
    """
    lists = {signed_list_path(files.source, is_package=inside) for inside in (True, False)}
    signatures = set() if signed else {*lists, *(f"{one}.sig" for one in lists)}
    return tuple(
        file
        for file in files.files
        if file.path not in signatures and not any(map(is_passing, PurePosixPath(file.path).parts))
    )
