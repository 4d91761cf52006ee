"""Notebooks as plugins: their code cells, and what these say of the plugin."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from nebula_lab.discovery.source import (
    API_VERSION_NAME,
    ENTRY_NAME,
    METADATA_FUNCTION,
    METADATA_NAME,
    SourceMetadata,
    source_metadata,
)
from nebula_lab.errors import MetadataLoadError

SKIP_TAG = "nebula-skip"
_NAMES = (METADATA_NAME, METADATA_FUNCTION, API_VERSION_NAME, ENTRY_NAME)


class CodeCell(Struct, frozen=True):
    """One code cell that belongs to the plugin.

    Attributes:
        number: its place among all cells of the notebook, counted from 1.
        source: its text.
    """

    number: int
    source: str


def notebook_metadata(content: bytes, path: Path) -> SourceMetadata:
    """Read what the code cells of a notebook say of its plugin; a later cell overrides.

    Lines are those of the notebook's file where they can be found in it, else of the cell.

    Raises:
        MetadataLoadError: it is no notebook, or a cell that declares the plugin can't be read.
    """
    text, cells = _load(content, path)
    found = SourceMetadata()
    for cell in code_cells(cells):
        if any(name in cell.source for name in _NAMES):
            found = _merged(found, _cell_metadata(cell, text, path))
    return found


def code_cells(cells: list[Any]) -> Iterator[CodeCell]:
    """The code cells that are not tagged `nebula-skip`, in order."""
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, Mapping) or cell.get("cell_type") != "code":
            continue
        metadata = cell.get("metadata")
        tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
        if isinstance(tags, list) and SKIP_TAG in tags:
            continue
        source = cell.get("source", "")
        lines = source if isinstance(source, list) else [source]
        yield CodeCell(number, "".join(line for line in lines if isinstance(line, str)))


def _load(content: bytes, path: Path) -> tuple[str, list[Any]]:
    try:
        text = content.decode("utf-8")
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        raise MetadataLoadError(
            "is not a notebook: its JSON can't be read",
            path=path,
            line=line,
            hint="Open it in Jupyter and save it anew, or leave it out.",
        ) from error
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise MetadataLoadError(
            "is not a notebook of format 4: it has no list of cells",
            path=path,
            hint="Convert it with `jupyter nbconvert --to notebook`.",
        )
    return text, cells


def _cell_metadata(cell: CodeCell, text: str, path: Path) -> SourceMetadata:
    if cell.source.lstrip().startswith("%%"):
        return SourceMetadata()
    plain = "\n".join(
        "" if line.startswith(("%", "!", "?")) else line for line in cell.source.split("\n")
    )
    try:
        found = source_metadata(plain.encode(), path)
    except MetadataLoadError as error:
        raise _in_cell(error, cell, text) from error
    broken = None if found.broken is None else _in_cell(found.broken, cell, text)
    return replace(
        found,
        line=None if found.line is None else _file_line(cell, found.line, text),
        key_lines={key: _file_line(cell, line, text) for key, line in found.key_lines.items()},
        dependency_lines=tuple(_file_line(cell, line, text) for line in found.dependency_lines),
        broken=broken,
    )


def _in_cell(error: MetadataLoadError, cell: CodeCell, text: str) -> MetadataLoadError:
    place = f"cell {cell.number}, line {error.line}" if error.line else f"cell {cell.number}"
    line = None if error.line is None else _file_line(cell, error.line, text)
    return MetadataLoadError(
        f"{error.message} ({place})", path=error.path, line=line, hint=error.hint
    )


def _file_line(cell: CodeCell, line: int, text: str) -> int:
    """The line of the notebook's file that holds a line of a cell, as Jupyter writes it."""
    lines = cell.source.split("\n")
    wanted = lines[min(line, len(lines)) - 1]
    offset = text.find(json.dumps(wanted, ensure_ascii=False)[:-1]) if wanted.strip() else -1
    return text.count("\n", 0, offset) + 1 if offset >= 0 else line


def _merged(earlier: SourceMetadata, later: SourceMetadata) -> SourceMetadata:
    return replace(
        earlier if later.table is None else later,
        api_version=earlier.api_version if later.api_version is None else later.api_version,
        has_entry=earlier.has_entry or later.has_entry,
        broken=later.broken or earlier.broken,
    )
