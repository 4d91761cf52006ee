"""One version of a plugin that can be had, wherever it is."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from nebula_lab.model.descriptor import PluginDependency
from nebula_lab.model.version import Version

__all__ = ["Origin", "Release"]


class Origin(StrEnum):
    """Where a release is; of the same version, the first of these is taken."""

    FOLDER = "folder"
    STORE = "store"
    REGISTRY = "registry"


class Release(Struct, frozen=True, kw_only=True, gc=False):
    """One version of one plugin, as far as choosing it needs to know.

    Attributes:
        id: the plugin.
        version: its version.
        dependencies: the plugins that this version needs.
        min_nebula_version: the oldest nebula_lab that it works with.
        max_nebula_version: the newest.
        api_version: the plugin API that it is written for; None where nobody says.
        origin: in what kind of place it is.
        place: where, for people: a path, or the address of a registry without its secrets.
        digest: SHA-256 of the files of the plugin, as the content store names them, in
            hexadecimal; None where they have not been read.
        archive: SHA-256 of the archive that a registry has, in hexadecimal.
        yanked: why nobody should begin to use it, perhaps empty; None if it was not withdrawn.
    """

    id: str
    version: Version
    dependencies: tuple[PluginDependency, ...] = ()
    min_nebula_version: Version | None = None
    max_nebula_version: Version | None = None
    api_version: int | None = None
    origin: Origin = Origin.FOLDER
    place: str = ""
    digest: str | None = None
    archive: str | None = None
    yanked: str | None = None
