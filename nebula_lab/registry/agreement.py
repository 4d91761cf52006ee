"""Holds what a plugin says of itself to what the registry said of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import ArchiveError, MetadataLoadError, StoreError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.version import Version
from nebula_lab.registry.format.documents import PublishedVersion
from nebula_lab.registry.format.values import descriptor_of
from nebula_lab.trust.collecting import collect

__all__ = ["require_as_promised"]


def require_as_promised(
    folder: Path, plugin_id: str, version: PublishedVersion
) -> PluginDescriptor:
    """What a plugin says of itself, which is what was chosen by.

    Otherwise a registry could have a plugin chosen, and its rights shown, by one description and
    run it by another.

    Args:
        folder: has its files.
        plugin_id: the plugin.
        version: what the registry said.

    Raises:
        ArchiveError: it says something else, or nothing that can be read.
    """
    try:
        found = read_descriptor(_described(folder, version))
    except MetadataLoadError as error:
        raise _refusal(
            plugin_id, version, f"its description can't be read: {error.message}"
        ) from error
    promised = descriptor_of(plugin_id, version, "", folder)
    for what, said in _DECISIVE.items():
        if said(found) != said(promised):
            raise _refusal(plugin_id, version, f"its files say another {what} than the registry")
    _require_nothing_else(found, version)
    return found


def _require_nothing_else(found: PluginDescriptor, version: PublishedVersion) -> None:
    """Refuse files that are no part of the plugin.

    In a folder of plugins they could be another plugin, or describe one that is there.
    """
    try:
        own = collect(found).files
    except StoreError as error:
        raise _refusal(found.id, version, f"its files can't be read: {error.message}") from error
    if own.digest != version.tree:
        raise _refusal(found.id, version, "it has files that are no part of the plugin")


_DECISIVE: Mapping[str, Callable[[PluginDescriptor], object]] = {
    "id": lambda one: one.id,
    "version": lambda one: str(one.version),  # with its build metadata, which == leaves out
    "place of the source": lambda one: one.path,
    "list of dependencies": lambda one: [
        (need.plugin_id, str(need.version_req), need.optional) for need in one.dependencies
    ],
    "list of rights": lambda one: one.security,
    "way to be hosted": lambda one: one.runtime,
    "Python environment": lambda one: one.python,
    "bounds on nebula_lab": lambda one: (
        _text(one.metadata.min_nebula_version),
        _text(one.metadata.max_nebula_version),
    ),
}


def _text(version: Version | None) -> str:
    return "" if version is None else str(version)


def _described(folder: Path, version: PublishedVersion) -> Path:
    """What `read_descriptor` is to be given: a manifest, or the source as a whole."""
    described_by = folder / version.described_by
    source = folder / version.source
    is_in_source = described_by == source or described_by == source / "__init__.py"
    return source if is_in_source else described_by


def _refusal(plugin_id: str, version: PublishedVersion, message: str) -> ArchiveError:
    return ArchiveError(
        f"{version.version}: {message}",
        plugin_id=plugin_id,
        hint="Nothing of it is used. Ask whoever keeps the registry.",
    )
