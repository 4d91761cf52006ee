"""Removes what was signed once and no client needs any more."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from pathlib import Path

from tuf.api.metadata import TargetFile

from nebula_lab.registry.protection.places import SIGNED, signed_copy

__all__ = ["prune"]

# A client that has read the timestamp needs what it leads to for as long as its update takes.
_KEPT = 24 * 3600.0


def prune(root: Path, offered: Mapping[str, TargetFile], before: Mapping[str, TargetFile]) -> None:
    """Remove copies of documents a day after they were dropped.

    Args:
        root: the registry.
        offered: what is signed now.
        before: what was until now.
    """
    kept, dropped = _copies(root, offered), _copies(root, before)
    for path in dropped - kept:
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)  # its day begins
    oldest = time.time() - _KEPT
    for path in (root / SIGNED).rglob("*.json"):
        with contextlib.suppress(FileNotFoundError):
            if path not in kept and path.stat().st_mtime < oldest:
                path.unlink()


def _copies(root: Path, targets: Mapping[str, TargetFile]) -> set[Path]:
    return {root / signed_copy(path, one.hashes["sha256"]) for path, one in targets.items()}
