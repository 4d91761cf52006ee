"""What is different between two versions of a plugin's files, for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from nebula_lab.agent.notebook_file import NotebookFileError, read_notebook
from nebula_lab.plugin.safe_text import prose

_MOST_COMPARED = 200_000  # bytes of one file
_MOST_OF_A_NOTEBOOK = 16 * 1024 * 1024  # bytes, of which outputs are most
_MOST_LINES = 120
_MOST_TEXT = 20_000  # characters


def source_diff(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """A unified diff of text files by path; others are only named.

    Returns:
        Text that is safe to show, with an end; "" where nothing is different.
    """
    lines: list[str] = []
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            lines += _file_diff(path, before.get(path), after.get(path))
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES:,} more lines"]
    return prose("\n".join(lines), _MOST_TEXT)


def _file_diff(path: str, before: bytes | None, after: bytes | None) -> Iterator[str]:
    lines_of = _notebook_lines if path.endswith(".ipynb") else _lines
    old, new = lines_of(before), lines_of(after)
    if old is None or new is None:
        yield f"{path}: {'changed' if before and after else 'added' if after else 'removed'}"
        return
    yield from difflib.unified_diff(old, new, f"{path} (serves)", f"{path} (new)", lineterm="")


def most_compared(path: str) -> int:
    """The bytes of a file up to which it is looked into."""
    return _MOST_OF_A_NOTEBOOK if path.endswith(".ipynb") else _MOST_COMPARED


def _notebook_lines(content: bytes | None) -> list[str] | None:
    """The code of a notebook cell by cell, as people read it; the text of what is none."""
    try:
        cells = read_notebook(content).cells if content else ()
    except NotebookFileError:
        return _lines(content)
    if sum(len(cell.source) for cell in cells) > _MOST_COMPARED:
        return None
    return [
        line for cell in cells for line in (f"# [cell {cell.number}]", *cell.source.splitlines())
    ]


def _lines(content: bytes | None) -> list[str] | None:
    """The lines of a text; None for what is none."""
    if len(content or b"") > _MOST_COMPARED:
        return None
    try:
        text = (content or b"").decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.splitlines()
