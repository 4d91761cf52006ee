"""A plugin's files as they were when they were read, by the names of those that people edit.

A host loads copies that nobody changes. Tracebacks, warnings, breakpoints and `inspect` name the
original files all the same, with the lines that really run, whatever is in those files by now.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType


class Staged:
    """Where the copies are, and where the originals.

    Args:
        folder: of the copies.
        origin: of the originals, which may not be there or not be seen.
    """

    def __init__(self, folder: Path, origin: Path) -> None:
        self.folder = folder
        self.origin = origin
        self._lines: dict[str, tuple[int, None, list[str], str]] = {}

    def shown(self, path: Path | str) -> str:
        """The name of a copy's original; what is no copy keeps its own."""
        path = Path(path)
        if not path.is_relative_to(self.folder):
            return str(path)
        return str(self.origin / path.relative_to(self.folder))

    def compiled(self, source: bytes, path: Path | str) -> CodeType:
        """Compile a copy, and remember its lines for tracebacks."""
        name = self.shown(path)
        code = compile(source, name, "exec", dont_inherit=True)
        if name != str(path):
            self.remember(name, source.decode("utf-8", "replace"))
        return code

    def remember(self, name: str, source: str) -> None:
        """Have the lines of what runs under a name shown in tracebacks."""
        lines = source.splitlines(keepends=True)
        # Without a time, so that nobody compares it with the file of that name.
        self._lines[name] = (len(source), None, lines, name)
        linecache.cache[name] = self._lines[name]

    def put_lines(self) -> None:
        """Have these lines shown from now on.

        Where two lives of a plugin are in one process, as in a reload with sandbox None, their
        files have the same names; and a plugin may have emptied the cache.
        """
        linecache.cache.update(self._lines)


class StagedLoader(SourceFileLoader):
    """Loads a module from a copy. No bytecode is taken from beside it or left there."""

    def __init__(self, staged: Staged, found: SourceFileLoader) -> None:
        super().__init__(found.name, found.path)
        self._staged = staged

    def get_code(self, fullname: str) -> CodeType:
        return self._staged.compiled(self.get_data(self.path), self.path)


class StagedFinder:
    """Finds modules among the copies of one plugin as they are found anywhere.

    Args:
        name: of the plugin's module.
        staged: its copies.
    """

    def __init__(self, name: str, staged: Staged) -> None:
        self.name = name
        self._staged = staged

    def install(self) -> None:
        """Look ahead of the usual finder, for what that one would find here."""
        at = sys.meta_path.index(PathFinder)
        sys.meta_path.insert(at, self)

    def shown(self, path: str) -> str:
        """See `Staged.shown`."""
        return self._staged.shown(path)

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or not isinstance(spec.loader, SourceFileLoader):
            return None
        if not Path(spec.loader.path).is_relative_to(self._staged.folder):
            return None
        spec.loader = StagedLoader(self._staged, spec.loader)
        return spec
