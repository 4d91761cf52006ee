"""What is wrong with the sources of plugins that were found: they are parsed, never run."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace

from nebula_lab.discovery import files_of, read_source_metadata
from nebula_lab.discovery.regular_file import SOURCE_LIMIT, read_regular_file
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model import PluginDescriptor, Problem

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
        problem
        for descriptor in descriptors
        for path in _sources(descriptor)
        if path not in told and (problem := _problem(path, descriptor)) is not None
    ]


def _sources(descriptor: PluginDescriptor) -> list[Path]:
    return [path for path in files_of(descriptor) if path.suffix in (".py", ".ipynb")]


def _problem(path: Path, descriptor: PluginDescriptor) -> Problem | None:
    try:
        if path.suffix == ".ipynb":
            read_source_metadata(path)
        else:
            _compile(path)
    except MetadataLoadError as error:
        return replace(Problem.from_error(error, SYNTAX), plugin_id=descriptor.id)
    return None


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
