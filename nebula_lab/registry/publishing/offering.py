"""Adds versions to what a registry offers, and withdraws them; nothing that is there changes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from nebula_lab.errors import PublishingError
from nebula_lab.model.version import Version
from nebula_lab.registry.building.offering import entry_of
from nebula_lab.registry.format.coding import (
    INDEX_LIMIT,
    PLUGIN_LIMIT,
    encoded,
    read_index,
    read_plugin,
)
from nebula_lab.registry.format.documents import (
    FORMAT,
    Index,
    PluginDocument,
    PublishedVersion,
)
from nebula_lab.registry.format.paths import INDEX, archive_path, plugin_path
from nebula_lab.registry.publishing.changes import Change

__all__ = [
    "Conflict",
    "add_version",
    "require_new",
    "set_yanked",
]


class Conflict(StrEnum):
    """Why a change is not taken; words for programs."""

    PUBLISHED = "published"  # that version is there already
    NO_VERSION = "no_version"  # there is no such version
    NAME_TAKEN = "name_taken"  # an id that differs in case only is there
    FULL = "full"  # the documents would be longer than clients read


class _Documents(Struct, frozen=True):
    index: Index
    plugin: PluginDocument


def add_version(change: Change, plugin_id: str, version: PublishedVersion, archive: Path) -> None:
    """Offer one more version.

    Args:
        change: of the registry, under way; its lock is held.
        plugin_id: the plugin.
        version: what the registry is to say of it.
        archive: its checked archive, on the file system of the registry, from where it is moved.

    Raises:
        PublishingError: that version is there already, or another reason not to take it.
        RegistryAnswerError: a document of the registry can't be read.
    """
    documents = _read(change, plugin_id)
    require_new(documents.plugin, version.version)
    for entry in documents.index.plugins:
        if entry.id != plugin_id and entry.id.lower() == plugin_id.lower():
            raise PublishingError(
                f"there is a plugin {entry.id} already, and ids that differ in case only would be "
                "one file on some machines",
                conflict=Conflict.NAME_TAKEN,
                plugin_id=plugin_id,
                hint="Take another id.",
            )
    versions = sorted(
        (*documents.plugin.versions, version),
        key=lambda one: Version.parse(one.version),
        reverse=True,
    )
    change.take(archive_path(version.archive.sha256), archive)
    _write(change, documents.index, PluginDocument(FORMAT, plugin_id, tuple(versions)))


def require_new(document: PluginDocument, version: str) -> None:
    """Let a version pass that is not there yet.

    Raises:
        PublishingError: it is.
        InvalidVersionError: it is no version.
    """
    wanted = Version.parse(version)
    for one in document.versions:
        # Build metadata makes no other version: who asks for one could get either.
        if Version.parse(one.version) == wanted:
            raise PublishingError(
                f"{one.version} is published already, and never changes",
                conflict=Conflict.PUBLISHED,
                archive=one.archive.sha256,
                plugin_id=document.id,
                hint="Raise the version and publish that.",
            )


def set_yanked(change: Change, plugin_id: str, version: str, reason: str | None) -> bool:
    """Withdraw a version, or take that back.

    Args:
        change: of the registry, under way; its lock is held.
        plugin_id: the plugin.
        version: which one.
        reason: why, perhaps empty; None takes it back.

    Returns:
        Whether anything is different now.

    Raises:
        PublishingError: there is no such version.
        RegistryAnswerError: a document of the registry can't be read.
    """
    documents = _read(change, plugin_id)
    before = documents.plugin.versions
    if all(one.version != version for one in before):
        known = ", ".join(one.version for one in before[:5])
        raise PublishingError(
            f"there is no version {version} to withdraw",
            conflict=Conflict.NO_VERSION,
            plugin_id=plugin_id,
            hint=f"There are {known}." if known else "There is no such plugin either.",
        )
    after = tuple(replace(one, yanked=reason) if one.version == version else one for one in before)
    if after == before:
        return False
    _write(change, documents.index, PluginDocument(FORMAT, plugin_id, after))
    return True


def _read(change: Change, plugin_id: str) -> _Documents:
    index, plugin = change.content(INDEX), change.content(plugin_path(plugin_id))
    return _Documents(
        Index(FORMAT) if index is None else read_index(index, INDEX),
        PluginDocument(FORMAT, plugin_id)
        if plugin is None
        else read_plugin(plugin, plugin_id, plugin_path(plugin_id)),
    )


def _write(change: Change, index: Index, document: PluginDocument) -> None:
    content = encoded(document)
    index_content = encoded(_with_entry(index, document))
    if len(content) > PLUGIN_LIMIT or len(index_content) > INDEX_LIMIT:
        raise PublishingError(
            "with it, the registry would say more than clients read",
            conflict=Conflict.FULL,
            plugin_id=document.id,
            hint="Keep another registry for more.",
        )
    change.put(plugin_path(document.id), content)
    change.put(INDEX, index_content)


def _with_entry(index: Index, document: PluginDocument) -> Index:
    """The index with the entry of one plugin made anew."""
    entries = {entry.id: entry for entry in index.plugins}
    entries[document.id] = entry_of(document)
    return replace(index, plugins=tuple(entries[one] for one in sorted(entries)))
