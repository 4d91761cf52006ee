"""Notebooks as plugins: what their code cells, or their metadata, say of the plugin."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from nebula_lab.agent.cell_source import CellSourceError, cell_source
from nebula_lab.agent.notebook_file import (
    METADATA_KEY,
    CodeCell,
    NotebookFile,
    NotebookFileError,
    read_notebook,
)
from nebula_lab.discovery.inline_script import OPENING, InlineScript, inline_script
from nebula_lab.discovery.source import (
    API_VERSION_NAME,
    ENTRY_NAME,
    METADATA_FUNCTION,
    METADATA_NAME,
    SourceMetadata,
    source_metadata,
)
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.syntax_tree import syntax_tree

_NAMES = (METADATA_NAME, METADATA_FUNCTION, API_VERSION_NAME, ENTRY_NAME)


def notebook_metadata(content: bytes, path: Path) -> SourceMetadata:
    """Read what a notebook says of its plugin: in its code cells, or in its own metadata.

    A later cell overrides. Lines are those of the notebook's file where they can be found in it,
    else of the cell. A notebook in another language, or of an old format, that has none of a
    plugin's names is none of our business, and says nothing.

    Raises:
        MetadataLoadError: it is no notebook, or what declares the plugin can't be read.
    """
    is_plugin = f'"{METADATA_KEY}"'.encode() in content or any(
        name.encode() in content for name in _NAMES
    )
    try:
        notebook = read_notebook(content)
        if is_plugin:
            notebook.require_python()
    except NotebookFileError as error:
        if b'"worksheets"' in content and not is_plugin:
            return SourceMetadata()
        raise MetadataLoadError(
            error.message, path=path, line=error.line, hint=error.hint
        ) from error
    if not is_plugin:
        return SourceMetadata()
    return _said(notebook, content.decode(), path)


def notebook_script(content: bytes, path: Path) -> InlineScript | None:
    """The block of inline metadata in the code cells of a notebook; None without one.

    Args:
        content: of the notebook.
        path: of it, for the errors.

    Raises:
        MetadataLoadError: there are several, or it is not what it should be; with the cell.
    """
    if OPENING not in content:
        return None
    try:
        cells = read_notebook(content).cells
    except NotebookFileError:
        return None  # `notebook_metadata` says what is wrong with it
    found: InlineScript | None = None
    text = content.decode()
    for cell in cells:
        script = _cell_script(cell, text, path)
        if script is None:
            continue
        if found is not None:
            raise MetadataLoadError(
                f"has a second block of inline metadata (cell {cell.number}); the first is in line "
                f"{found.line}",
                path=path,
                line=script.line,
                hint="Keep one block `# /// script` in the notebook, or tag the cell nebula-skip.",
            )
        found = script
    return found


def _cell_script(cell: CodeCell, text: str, path: Path) -> InlineScript | None:
    try:
        found = inline_script(cell.source.encode("utf-8", "surrogatepass"), path)
    except MetadataLoadError as error:
        raise _in_cell(error, cell, text) from error
    return None if found is None else replace(found, line=_file_line(cell, found.line, text))


def cell_errors(content: bytes, path: Path) -> Iterator[MetadataLoadError]:
    """What would keep the cells of a notebook from being run: one error for each that is wrong."""
    text = content.decode()
    for cell in read_notebook(content).cells:
        try:
            _compile(cell, path)
        except MetadataLoadError as error:
            yield _in_cell(error, cell, text)


def _compile(cell: CodeCell, path: Path) -> None:
    """Compile a cell as its load will, and throw the code away."""
    python = _python(cell, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(python, str(path), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        message = f"{path.name} is not Python: {error.msg}"
        raise MetadataLoadError(message, path=path, line=error.lineno) from error
    except (ValueError, RecursionError, MemoryError) as error:
        message = f"{path.name} can't be compiled: {error or type(error).__name__}"
        raise MetadataLoadError(message, path=path) from error


def lines_left_out(content: bytes) -> Mapping[int, tuple[int, ...]]:
    """The lines of each cell that are IPython's, and so no part of the plugin, by its number."""
    found = {}
    for cell in read_notebook(content).cells:
        try:
            lines = cell_source(cell.source, syntax_tree).left_out
        except CellSourceError:
            continue
        if lines:
            found[cell.number] = lines
    return found


def _said(notebook: NotebookFile, text: str, path: Path) -> SourceMetadata:
    found = SourceMetadata()
    for cell in notebook.cells:
        if any(name in cell.source for name in _NAMES):
            found = _merged(found, _cell_metadata(cell, text, path))
    if notebook.metadata is None:
        return found
    own = _own_metadata(notebook.metadata, text, path)
    if found.table is not None:
        raise MetadataLoadError(
            f"describes its plugin twice: in {METADATA_NAME} and in the notebook's metadata, "
            f"under {METADATA_KEY!r}",
            path=path,
            line=own.line,
            hint="Keep one of the two.",
        )
    return replace(
        own, api_version=found.api_version, has_entry=found.has_entry, broken=found.broken
    )


def _own_metadata(metadata: object, text: str, path: Path) -> SourceMetadata:
    at = text.rfind(f'"{METADATA_KEY}"')
    line = text.count("\n", 0, at) + 1
    if not isinstance(metadata, dict):
        raise MetadataLoadError(
            f"its metadata under {METADATA_KEY!r} are not a table",
            path=path,
            line=line,
            hint=f'Write "{METADATA_KEY}": {{"id": "my_plugin", "version": "1.0.0"}} there.',
        )
    places = {key: text.find(json.dumps(key, ensure_ascii=False), at) for key in metadata}
    key_lines = {key: text.count("\n", 0, place) + 1 for key, place in places.items() if place > 0}
    return SourceMetadata(metadata, line, key_lines)


def _python(cell: CodeCell, path: Path) -> bytes:
    try:
        return cell_source(cell.source, syntax_tree).python.encode("utf-8", "surrogatepass")
    except CellSourceError as error:
        raise MetadataLoadError(str(error), path=path, line=error.line, hint=error.hint) from None


def _cell_metadata(cell: CodeCell, text: str, path: Path) -> SourceMetadata:
    try:
        found = source_metadata(_python(cell, path), path)
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
    hint = error.hint  # of a file's, where the parser's words are all that is known
    if hint is None or isinstance(error.__cause__ or error.__context__, SyntaxError):
        hint = "Correct the cell, or tag it nebula-skip if it is no part of the plugin."
    return MetadataLoadError(f"{error.message} ({place})", path=error.path, line=line, hint=hint)


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
