"""A notebook file as a plugin's source: its code cells, read the same way on both sides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

SKIP_TAG = "nebula-skip"
METADATA_KEY = "nebula"
# As for a .py file: parsing takes up to 500 bytes of memory for each byte of source.
MOST_CODE = 1024 * 1024


class NotebookFileError(Exception):
    """A file that is no notebook whose cells could be a plugin.

    Args:
        message: what is wrong with it, to follow the file's name.
        hint: what to do about it.
        line: of the file, where its JSON breaks.
    """

    def __init__(self, message: str, hint: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.line = line


class CodeCell(NamedTuple):
    """One code cell that belongs to the plugin.

    Attributes:
        number: its place among all cells of the notebook, counted from 1.
        source: its text, as it is in the notebook.
    """

    number: int
    source: str


class NotebookFile(NamedTuple):
    """What a notebook says as code.

    Attributes:
        cells: its code cells in order, without those that are tagged `nebula-skip`.
        metadata: what its metadata have under `nebula`; None where there is nothing.
        language: that its cells are written in; "" where it does not say.
    """

    cells: tuple[CodeCell, ...]
    metadata: Any = None
    language: str = ""

    @property
    def code(self) -> bytes:
        """All of it that makes a difference to a plugin; outputs and texts are none of it."""
        cells = [(cell.number, cell.source) for cell in self.cells]
        return json.dumps([self.metadata, self.language, cells]).encode()

    def require_python(self) -> None:
        """Refuse cells of another language.

        Raises:
            NotebookFileError: the notebook says that it is written in one.
        """
        if self.language.lower() not in ("", "python", "ipython"):
            raise NotebookFileError(
                f"is a notebook in {self.language[:40]}, and plugins are written in Python",
                "Move it out of the plugin folder, or choose a Python kernel for it.",
            )


def read_notebook(content: bytes) -> NotebookFile:
    """Read a notebook of format 4; nothing of it runs.

    Raises:
        NotebookFileError: it is none, or its code is too large to be a plugin's.
    """
    notebook = _loaded(content)
    listed = notebook.get("cells") if isinstance(notebook, Mapping) else None
    if not isinstance(listed, list):
        raise _not_format_4(notebook)
    cells = tuple(
        CodeCell(number, _text(cell))
        for number, cell in enumerate(listed, 1)
        if _is_code(cell, number)
    )
    size = sum(len(cell.source) for cell in cells)
    if size > MOST_CODE:
        raise NotebookFileError(
            f"is a notebook with {size:,} characters of code; a plugin has at most {MOST_CODE:,}",
            "Keep data in files of their own, or tag cells that are not its code nebula-skip.",
        )
    metadata = notebook.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    return NotebookFile(cells, metadata.get(METADATA_KEY), _language(metadata))


def _loaded(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotebookFileError(
            "is not a notebook: its JSON can't be read",
            "Open it in Jupyter and save it anew, or leave it out.",
            error.lineno if isinstance(error, json.JSONDecodeError) else None,
        ) from error


def _not_format_4(notebook: Any) -> NotebookFileError:
    if isinstance(notebook, Mapping) and "worksheets" in notebook:
        return NotebookFileError(
            "is a notebook of format 3; a plugin's has format 4",
            "Open it in Jupyter and save it, or run "
            "`jupyter nbconvert --to notebook --inplace` on it.",
        )
    return NotebookFileError(
        "is not a notebook of format 4: it has no list of cells",
        "Open it in Jupyter and save it anew, or leave it out.",
    )


def _is_code(cell: Any, number: int) -> bool:
    """Whether a cell is code of the plugin."""
    if not isinstance(cell, Mapping):
        raise NotebookFileError(
            f"is not a notebook of format 4: its cell {number} is no cell",
            "Open it in Jupyter and save it anew, or leave it out.",
        )
    metadata = cell.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, Mapping) else None
    return cell.get("cell_type") == "code" and not (isinstance(tags, list) and SKIP_TAG in tags)


def _text(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    lines = source if isinstance(source, list) else [source]
    return "".join(line for line in lines if isinstance(line, str))


def _language(metadata: Mapping[str, Any]) -> str:
    """The language that the kernel had, or else the one that it is to have."""
    for part, key in (("language_info", "name"), ("kernelspec", "language")):
        info = metadata.get(part)
        name = info.get(key) if isinstance(info, Mapping) else None
        if isinstance(name, str) and name:
            return name
    return ""
