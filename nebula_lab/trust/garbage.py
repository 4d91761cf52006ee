"""What is no longer needed in a content store."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from nebula_lab.errors import StoreError
from nebula_lab.trust import locks
from nebula_lab.trust.contents import PluginFiles
from nebula_lab.trust.layout import StoreLayout

__all__ = ["Removed", "remove_garbage"]


class Removed(Struct, frozen=True):
    """What garbage collection has removed.

    Attributes:
        trees: their digests.
        files: how many files with content.
        bytes: in these.
    """

    trees: tuple[str, ...]
    files: int
    bytes: int


def remove_garbage(
    layout: StoreLayout,
    keep: frozenset[str],
    older_than: float,
    read: Callable[[str], PluginFiles],
) -> Removed:
    """Remove what nobody needs; the caller holds the store's lock alone.

    Args:
        layout: the store.
        keep: digests of trees to leave.
        older_than: seconds since a tree was last added.
        read: gives a tree by its digest, and raises StoreError for one that is damaged.
    """
    oldest = time.time() - older_than
    removed = [
        digest
        for digest in list(layout.digests())
        if digest not in keep
        and layout.tree(digest).stat().st_mtime <= oldest
        and _remove_tree(layout, digest)
    ]
    count, size = _remove_blobs(layout, _needed(layout, read))
    _remove_unfinished(layout)
    return Removed(tuple(sorted(removed)), count, size)


def _remove_tree(layout: StoreLayout, digest: str) -> bool:
    """Remove a tree unless a process uses it; whether it was removed."""
    with locks.try_exclusive(layout.pin(digest)) as unused:
        if unused:
            layout.tree(digest).unlink(missing_ok=True)
            # Who wants to pin it needs the store's lock first, so nobody waits for this file.
            layout.pin(digest).unlink(missing_ok=True)
        return unused


def _needed(layout: StoreLayout, read: Callable[[str], PluginFiles]) -> set[str]:
    needed: set[str] = set()
    for digest in list(layout.digests()):
        try:
            needed.update(file.sha256 for file in read(digest).files)
        except StoreError:
            continue  # it was damaged and has been removed; its blobs belong to nobody now
    return needed


def _remove_blobs(layout: StoreLayout, needed: set[str]) -> tuple[int, int]:
    count = size = 0
    for blob in [layout.blob(name) for name in layout.hashes() if name not in needed]:
        size += blob.stat().st_size
        count += 1
        blob.unlink()
    return count, size


def _remove_unfinished(layout: StoreLayout) -> None:
    """Remove what was being written by processes that were killed; nobody else writes now."""
    unfinished: list[Path] = list(layout.new.iterdir()) if layout.new.is_dir() else []
    for path in unfinished:
        path.unlink(missing_ok=True)
