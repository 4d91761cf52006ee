"""The lines of a plugin's own files as they run: those of the copies, by the originals' names."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from nebula_lab.agent.staging import Staged

_CELL = re.compile(r"(.+)\[cell ([0-9]{1,6})\]")
_LONGEST_FILE = 16 * 2**20  # bytes; nobody reads a plugin that is larger


class SourceLines:
    """Finds lines. What a host says of files decides only which of its own copies is looked at.

    Args:
        folder: of the copies, which the plugin can't change.
        origin: the folder that they are copies from.
    """

    def __init__(self, folder: Path, origin: Path) -> None:
        self._staged = Staged(folder, origin)
        self._lines = functools.cache(self._read)

    def is_own(self, file: str) -> bool:
        """Whether a file is one of the plugin's."""
        return self._lines(file) is not None

    def line(self, file: str, number: int) -> str:
        """A line without its indentation; "" where there is none."""
        lines = self._lines(file) or []
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    def _read(self, file: str) -> list[str] | None:
        cell = _CELL.fullmatch(file)
        copy = self._copy_of(cell[1] if cell else file)
        if copy is None:
            return None
        try:
            if cell:
                from nebula_lab.agent.notebook_source import cell_lines

                return cell_lines(copy.read_bytes(), int(cell[2]))
            return copy.read_text("utf-8", "replace").splitlines()
        except (OSError, ValueError):
            return None

    def _copy_of(self, file: str) -> Path | None:
        """The copy of a file; None for what is not the plugin's, whatever way the name takes."""
        folder, origin = self._staged.folder, self._staged.origin
        if not file.startswith((f"{folder}/", f"{origin}/")):
            return None  # soon: most are a library's
        path = Path(file)
        try:
            copy = path if path.is_relative_to(folder) else folder / path.relative_to(origin)
            real = copy.resolve()
            if not real.is_relative_to(folder.resolve()) or not real.is_file():
                return None
            return real if real.stat().st_size <= _LONGEST_FILE else None
        except (OSError, ValueError):
            return None
