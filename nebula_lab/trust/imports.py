"""Which modules beside a plugin it imports, told from its text: nothing of it runs.

An import whose name is only known at run time is not found, so what it imports is neither kept nor
signed; a package folder is always taken whole.
"""

from __future__ import annotations

import ast
import contextlib
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from nebula_lab.agent.cell_source import CellSourceError, cell_source
from nebula_lab.agent.notebook_file import NotebookFileError, read_notebook
from nebula_lab.model.syntax_tree import syntax_tree

__all__ = ["imported_names", "module_name", "is_module"]

# Of any Python, as the plugin's may be another one than ours.
_MODULE_SUFFIXES = (".py", ".pyc", ".so", ".pyd")
_IMPORTERS = ("import_module", "__import__")


def is_module(file_name: str) -> bool:
    """Whether a file of that name can be imported."""
    return file_name.endswith(_MODULE_SUFFIXES)


def module_name(file_name: str) -> str | None:
    """The name under which something beside a plugin can be imported by it; None for none.

    Modules of the standard library come first on the path, so nothing beside can have their names.
    """
    if "." in file_name and not is_module(file_name):
        return None
    name = file_name.partition(".")[0]
    return name if name.isidentifier() and name not in sys.stdlib_module_names else None


def imported_names(content: bytes, path: Path, candidates: Collection[str]) -> set[str]:
    """Those of the `candidates` that a source imports: a .py file or a notebook, by its suffix."""
    texts: list[bytes] = list(_cells(content)) if path.suffix == ".ipynb" else [content]
    found: set[str] = set()
    for text in texts:
        # What is not even a word in it need not be parsed for; parsing is what takes time.
        possible = {name for name in candidates if name.encode() in text}
        if possible:
            found |= possible & set(_imported(text))
    return found


def _imported(text: bytes) -> Iterator[str]:
    """The first part of each name that is imported; none where the text is not Python."""
    try:
        tree = syntax_tree(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        for name in _names(node):
            yield name.partition(".")[0]


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module
        case ast.Call(
            func=ast.Name(id=name) | ast.Attribute(attr=name),
            args=[ast.Constant(value=str(module)), *_],
        ) if name in _IMPORTERS:
            yield module


def _cells(content: bytes) -> Iterator[bytes]:
    """The cells of a notebook that are a plugin's; none where it is none, which its load says."""
    try:
        cells = read_notebook(content).cells
    except NotebookFileError:
        return
    for cell in cells:
        with contextlib.suppress(CellSourceError):
            yield cell_source(cell.source, syntax_tree).python.encode("utf-8", "surrogatepass")
