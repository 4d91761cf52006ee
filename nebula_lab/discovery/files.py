"""The files that make up a plugin."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.ignored import is_ignored


def files_of(descriptor: PluginDescriptor) -> tuple[Path, ...]:
    """A plugin's source, or all of its package, and its manifest; sorted.

    Caches and hidden files are none of it. Links to folders are not followed.
    """
    source = descriptor.path
    files = set(_package_files(source)) if source.is_dir() else {source}
    if descriptor.declared_in is not None:
        files.add(descriptor.declared_in.path)
    return tuple(sorted(files))


def _package_files(folder: Path) -> Iterator[Path]:
    pending = [folder]
    while pending:
        for entry in pending.pop().iterdir():
            if is_ignored(entry.name):
                continue
            if entry.is_dir():
                if not entry.is_symlink():
                    pending.append(entry)
            elif entry.is_file():
                yield entry
