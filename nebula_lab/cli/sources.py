"""What is wrong with the sources of plugins that were found: they are parsed, never run."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec.structs import replace

from nebula_lab.discovery import files_of
from nebula_lab.discovery.notebook import cell_errors, lines_left_out, notebook_metadata
from nebula_lab.discovery.regular_file import NOTEBOOK_LIMIT, SOURCE_LIMIT, read_regular_file
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model import PluginDescriptor, Problem
from nebula_lab.model.descriptor import SourceLocation

SYNTAX = "syntax"


def source_problems(
    descriptors: Iterable[PluginDescriptor], known: Iterable[Problem]
) -> list[Problem]:
    """One problem for each file that is not Python, apart from those that are known already.

    A manifest speaks for a plugin whose source is broken, so discovery does not look: it is its
    load that would fail.
    """
    told = {problem.location.path for problem in known if problem.location}
    return [
        replace(problem, plugin_id=descriptor.id)
        for descriptor in descriptors
        for path in _sources(descriptor)
        if path not in told
        for problem in _problems(path)
    ]


def _sources(descriptor: PluginDescriptor) -> list[Path]:
    return [path for path in files_of(descriptor) if path.suffix in (".py", ".ipynb")]


def _problems(path: Path) -> Iterator[Problem]:
    try:
        if path.suffix == ".ipynb":
            yield from _cell_problems(path)
        else:
            _compile(path)
    except MetadataLoadError as error:
        yield Problem.from_error(error, SYNTAX)


def _cell_problems(path: Path) -> Iterator[Problem]:
    """What is wrong with each cell of a notebook, and a note on what is left out of them.

    Raises:
        MetadataLoadError: it is no notebook that could be a plugin.
    """
    content = read_regular_file(path, NOTEBOOK_LIMIT)
    notebook_metadata(content, path)
    for error in cell_errors(content, path):
        yield Problem.from_error(error, SYNTAX)
    cells = lines_left_out(content)
    if cells:
        yield Problem(
            kind=SYNTAX,
            message=f"{path.name}: what is IPython's is left out of the plugin, in "
            f"cell{'' if len(cells) == 1 else 's'} {', '.join(map(str, cells))}",
            location=SourceLocation(path),
            cure="Nothing is to be done where it only tries the plugin out.",
            severity="note",
        )


def _compile(path: Path) -> None:
    """Compile a source as its load will, and throw the code away.

    Raises:
        MetadataLoadError: it can't be read or compiled.
    """
    content = read_regular_file(path, SOURCE_LIMIT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(content, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise MetadataLoadError(
            f"{path.name} is not Python: {error.msg}",
            path=path,
            line=error.lineno,
            hint="Correct the source there; until then the plugin can't be loaded.",
        ) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise MetadataLoadError(
            f"{path.name} can't be compiled: {error or type(error).__name__}",
            path=path,
            hint="A source is text, and nested no deeper than Python's parser goes.",
        ) from error
