"""What a registry offers as a whole: its documents, with a version more or less."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

from msgspec.structs import replace

from nebula_lab.errors import PublishingError
from nebula_lab.model.version import Version
from nebula_lab.registry.building.version import Packed
from nebula_lab.registry.format.coding import encoded
from nebula_lab.registry.format.documents import (
    FORMAT,
    DocumentHash,
    Entry,
    Index,
    PluginDocument,
    PublishedVersion,
)

__all__ = ["entry_of", "index_of", "latest", "with_version"]

_LONGEST = 300  # characters of a description in the index


def with_version(document: PluginDocument | None, packed: Packed) -> PluginDocument:
    """What is said of a plugin that has one version more; the same, if it has that already.

    Args:
        document: what is said of it now; None if nothing.
        packed: the version.

    Raises:
        PublishingError: that version is there with other files.
    """
    document = document or PluginDocument(FORMAT, packed.plugin_id)
    for there in document.versions:
        # Build metadata does not count: of two such versions none would be the newer.
        if Version.parse(there.version) == Version.parse(packed.version.version):
            _require_same(there, packed)
            return document
    versions = [*document.versions, packed.version]
    return replace(document, versions=_newest_first(versions))


def _require_same(there: PublishedVersion, packed: Packed) -> None:
    if there.tree == packed.version.tree and there.version == packed.version.version:
        return
    raise PublishingError(
        f"version {there.version} is published already, with other files",
        plugin_id=packed.plugin_id,
        hint="What is published never changes: give the plugin a new version.",
    )


def _newest_first(versions: Iterable[PublishedVersion]) -> tuple[PublishedVersion, ...]:
    return tuple(sorted(versions, key=lambda one: Version.parse(one.version), reverse=True))


def latest(versions: Sequence[PublishedVersion]) -> PublishedVersion | None:
    """The newest that is not yanked, a pre-release only where there is nothing else."""
    usable = [one for one in versions if one.yanked is None]
    settled = [one for one in usable if Version.parse(one.version).prerelease is None]
    newest_first = _newest_first(settled or usable)
    return newest_first[0] if newest_first else None


def index_of(name: str, documents: Iterable[PluginDocument]) -> Index:
    """The index of a registry with these plugins.

    Raises:
        PublishingError: two ids differ in case alone.
    """
    entries = sorted(map(entry_of, documents), key=lambda entry: entry.id)
    by_name: dict[str, str] = {}
    for entry in entries:
        other = by_name.setdefault(entry.id.lower(), entry.id)
        if other != entry.id:
            raise PublishingError(
                f"there is a plugin {other} already, and the two would be one file where the "
                "case of names does not count",
                plugin_id=entry.id,
                hint="Give one of them another id.",
            )
    return Index(FORMAT, name, tuple(entries))


def entry_of(document: PluginDocument) -> Entry:
    """What an index says of a plugin."""
    content = encoded(document)
    known = DocumentHash(sha256(content).hexdigest(), len(content))
    newest = latest(document.versions)
    if newest is None:
        return Entry(document.id, document=known)
    return Entry(
        document.id,
        newest.version,
        newest.name,
        _shortened(newest.about.description),
        newest.about.tags,
        known,
    )


def _shortened(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1].rstrip()}…"
