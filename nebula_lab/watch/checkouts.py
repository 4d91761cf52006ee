"""Whether git is in the middle of changing files: it has pauses, and says when it is done."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

__all__ = ["Checkouts"]

# Seconds after which a lock was left behind by a git that was killed.
_STALE = 10.0


class Checkouts:
    """Looks for the lock that git holds from its first file to its last."""

    def __init__(self) -> None:
        self._git_dirs: dict[str, Path | None] = {}

    def goes_on_for(self, paths: Iterable[str]) -> bool:
        """Whether git changes files in the repository of one of these."""
        folders = {os.path.dirname(path) for path in paths}  # noqa: PTH120
        git_dirs = {self._git_dir(folder) for folder in folders} - {None}
        return any(_is_locked(one) for one in git_dirs if one is not None)

    def _git_dir(self, folder: str) -> Path | None:
        if folder not in self._git_dirs:
            self._git_dirs[folder] = _find_git_dir(Path(folder))
        return self._git_dirs[folder]


def _find_git_dir(folder: Path) -> Path | None:
    for place in (folder, *folder.parents):
        git = place / ".git"
        try:
            if git.is_dir():
                return git
            if git.is_file():  # a worktree: `gitdir: PATH`
                return place / git.read_text().partition(":")[2].strip()
        except (OSError, ValueError):
            return None
    return None


def _is_locked(git_dir: Path) -> bool:
    try:
        age = time.time() - (git_dir / "index.lock").stat().st_mtime
    except OSError:
        return False
    return abs(age) < _STALE  # one from the future is of a clock that has been set back since
