"""Sources of plugins, as a notebook writes them: whole, or not at all."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from IPython.core.error import UsageError

from nebula_lab.discovery.locating import manifest_of
from nebula_lab.discovery.source import SourceMetadata, source_metadata
from nebula_lab.errors import MetadataLoadError
from nebula_lab.scaffold.template import name_from, new_notebook, new_source

# As in the model's PluginId; checked here because it becomes the name of a file.
_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")

_MANIFEST = """id = "{id}"
name = "{name}"
version = "0.1.0"
"""


def checked_id(plugin_id: str) -> str:
    """The id, if it is one.

    Raises:
        UsageError: it is none.
    """
    if not _ID.fullmatch(plugin_id):
        raise UsageError(
            f"{plugin_id[:80]!r} is not a plugin id; an id has at most 100 of the characters "
            "A-Z a-z 0-9 _ . - and starts with a letter or _"
        )
    return plugin_id


def create_plugin(folder: Path, plugin_id: str, *, as_notebook: bool = False) -> Path:
    """Write the source of a new plugin that works as it is, and give its path.

    Raises:
        UsageError: the id is none, or there is such a file already.
    """
    stem = folder / checked_id(plugin_id)
    paths = [stem.with_name(f"{stem.name}{suffix}") for suffix in (".py", ".ipynb")]
    if any(path.exists() for path in (stem, *paths)) or manifest_of(paths[0]) is not None:
        raise UsageError(f"there is a file for {plugin_id} in {folder} already")
    make, path = (new_notebook, paths[1]) if as_notebook else (new_source, paths[0])
    write_whole(path, make(plugin_id))
    return path


def read_cell(plugin_id: str, cell: str) -> SourceMetadata:
    """What a cell says of the plugin whose source it is to be; nothing of it runs.

    Raises:
        MetadataLoadError: it is not Python, or says that it is another plugin.
    """
    try:
        metadata = source_metadata(cell.encode("utf-8", "surrogatepass"), Path("cell"))
    except MetadataLoadError as error:
        raise _refusal(plugin_id, cell, error) from None
    if metadata.broken is not None:
        raise _refusal(plugin_id, cell, metadata.broken)
    own_id = (metadata.table or {}).get("id", plugin_id)
    if own_id != plugin_id:
        raise MetadataLoadError(
            f"the cell calls itself {own_id!r}; nothing was written",
            plugin_id=plugin_id,
            hint=f"Write %%plugin {own_id}, or change the id in PLUGIN_METADATA.",
        )
    return metadata


def _refusal(plugin_id: str, cell: str, error: MetadataLoadError) -> MetadataLoadError:
    """The same with the line as people count it in the cell, where the magic is line 1."""
    where, text = "the cell", ""
    if error.line is not None:
        where = f"line {error.line + 1} of the cell"
        text = "\n    " + "".join(cell.splitlines()[error.line - 1 : error.line]).strip()
    return MetadataLoadError(
        f"{where} {error.message}{text}",
        plugin_id=plugin_id,
        hint="Nothing was written. Correct the cell and run it again.",
    )


def write_source(path: Path, plugin_id: str, cell: str, metadata: SourceMetadata) -> Path | None:
    """Write a plugin's source; gives the manifest too, where one had to be written.

    Raises:
        OSError: it can't be written.
    """
    manifest = None
    # The manifest first: without it the source would be no plugin for a moment.
    if metadata.table is None and manifest_of(path) is None:
        manifest = path.with_name(f"{path.stem}.toml")
        write_whole(manifest, _MANIFEST.format(id=plugin_id, name=name_from(plugin_id)))
    write_whole(path, cell)
    return manifest


def write_whole(path: Path, text: str) -> None:
    """Replace a file in one step, so that nobody ever reads half of it."""
    # A name that starts with a dot is no plugin, for whoever looks at the folder meanwhile.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
