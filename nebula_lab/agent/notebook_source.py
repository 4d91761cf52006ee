"""The cells of a notebook as code to be run, and as lines to be shown."""

from __future__ import annotations
import __future__

import ast
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

from nebula_lab.agent.cell_source import CellSourceError, cell_source
from nebula_lab.agent.load_errors import LoadError
from nebula_lab.agent.notebook_file import NotebookFile, NotebookFileError, read_notebook
from nebula_lab.agent.staging import Staged

_FEATURES = [getattr(__future__, name) for name in __future__.all_feature_names]
_ALL_FEATURES = sum(feature.compiler_flag for feature in _FEATURES)


def cell_name(notebook: str, number: int) -> str:
    """What a cell is called in tracebacks, for the debugger and in `linecache`."""
    return f"{notebook}[cell {number}]"


def compiled_cells(content: bytes, path: Path, staged: Staged) -> list[CodeType]:
    """The code of each cell; one that awaits at its top level is a coroutine's.

    As in a notebook, what a cell imports from `__future__` holds for those below it.

    Raises:
        LoadError: it is no notebook in Python, or counts on IPython.
        SyntaxError: a cell is not Python.
    """
    shown = staged.shown(path)
    codes: list[CodeType] = []
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    for number, source in _plain_cells(_notebook(content, shown), shown):
        filename = cell_name(shown, number)
        staged.remember(filename, source)
        codes.append(compile(source, filename, "exec", flags, dont_inherit=True))
        flags |= codes[-1].co_flags & _ALL_FEATURES
    return codes


def cell_lines(content: bytes, wanted: int) -> list[str] | None:
    """The lines of one cell, as they are in the notebook; None where there is no such cell."""
    try:
        cells = read_notebook(content).cells
    except NotebookFileError:
        return None
    return next((cell.source.splitlines() for cell in cells if cell.number == wanted), None)


def _notebook(content: bytes, shown: str) -> NotebookFile:
    try:
        notebook = read_notebook(content)
        notebook.require_python()
    except NotebookFileError as error:
        raise LoadError(f"{shown} {error.message}. {error.hint}") from error
    return notebook


def _plain_cells(notebook: NotebookFile, shown: str) -> Iterator[tuple[int, str]]:
    for cell in notebook.cells:
        try:
            yield cell.number, cell_source(cell.source).python
        except CellSourceError as error:
            place = f"{cell_name(shown, cell.number)}, line {error.line}"
            raise LoadError(f"{place}: {error}. {error.hint}") from error
