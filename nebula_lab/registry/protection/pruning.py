"""Removes what was signed once and no client needs any more."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from itertools import chain
from pathlib import Path

from tuf.api.metadata import TargetFile

from nebula_lab.registry.protection.places import SIGNED, metadata_path, signed_copy
from nebula_lab.registry.protection.roles import Role
from nebula_lab.registry.protection.state import SignedState

__all__ = ["prune"]

# A client that has read the timestamp needs what it leads to for as long as its update takes.
_KEPT = 24 * 3600.0
# Of the root every version stays: clients follow from one to the next.
_PASSING = (Role.TARGETS, Role.SNAPSHOT)


def prune(
    root: Path,
    offered: Mapping[str, TargetFile],
    before: Mapping[str, TargetFile],
    state: SignedState,
) -> None:
    """Remove copies of documents, and statements, a day after others took their place.

    Args:
        root: the registry.
        offered: what is signed now.
        before: what was until now.
        state: the statements until now; no earlier ones are needed.
    """
    kept, dropped = _copies(root, offered), _copies(root, before)
    for path in dropped - kept:
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)  # its day begins
    kept |= {
        root / metadata_path(role, metadata.signed.version)
        for role, metadata in ((Role.TARGETS, state.targets), (Role.SNAPSHOT, state.snapshot))
        if metadata is not None
    }
    oldest = time.time() - _KEPT
    statements = [(root / "metadata").glob(f"*.{role}.json") for role in _PASSING]
    for path in chain((root / SIGNED).rglob("*.json"), *statements):
        with contextlib.suppress(FileNotFoundError):
            if path not in kept and path.stat().st_mtime < oldest:
                path.unlink()


def _copies(root: Path, targets: Mapping[str, TargetFile]) -> set[Path]:
    return {root / signed_copy(path, one.hashes["sha256"]) for path, one in targets.items()}
