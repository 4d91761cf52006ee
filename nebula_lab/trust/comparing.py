"""What of a plugin's files makes a difference to what runs."""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from nebula_lab.agent.notebook_file import NotebookFileError, read_notebook
from nebula_lab.trust.contents import CollectedPlugin, PluginFiles, StoredFile

__all__ = ["compared_files"]


def compared_files(collected: CollectedPlugin) -> PluginFiles:
    """A plugin's files, to be held against others of it; a notebook counts by its code alone.

    Running a notebook changes its outputs and its counts, and its texts are for readers: none of
    that is another plugin. A signature is over all of the file, and so is the content store's.
    """
    source = collected.files.source
    if not source.endswith(".ipynb") or source not in collected.contents:
        return collected.files
    try:
        code = read_notebook(collected.contents[source]).code
    except NotebookFileError:
        return collected.files
    files = [_by_code(one, code) if one.path == source else one for one in collected.files.files]
    return PluginFiles(source, tuple(files))


def _by_code(file: StoredFile, code: bytes) -> StoredFile:
    return replace(file, sha256=hashlib.sha256(code).hexdigest(), size=len(code))
