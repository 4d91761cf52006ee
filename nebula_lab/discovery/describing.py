"""From a table of metadata to a descriptor, with the file and line for whatever is wrong in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from pydantic import ValidationError

from nebula_lab.discovery.document import Document
from nebula_lab.errors import InvalidRequirementError, MetadataLoadError
from nebula_lab.model.complaints import Location, complaints
from nebula_lab.model.descriptor import PluginDependency, PluginDescriptor, SourceLocation
from nebula_lab.model.plain_descriptor import plain_dependency, plain_descriptor
from nebula_lab.model.python_needs import PythonNeeds
from nebula_lab.model.requirement import VersionReq

_SHOWN = 5
_FILLED_IN = ("declared_in", "rights_declared_in")
_LEADING_ID = re.compile(r"\s*([A-Za-z_][\w.-]*)", re.ASCII)


class Description(Struct, frozen=True):
    """A table of metadata and where it was written.

    Attributes:
        table: the keys as they were written.
        path: the file that holds it.
        line: where it begins, counted from 1; None where that is not known.
        key_lines: the line of each key, for one from a source.
        dependency_lines: the line of each dependency, in order; may be shorter than the list.
        document: the manifest that it is a part of; None for one from a source.
        within: the keys and indices that lead to it in that document.
    """

    table: Mapping[str, Any]
    path: Path
    line: int | None = None
    key_lines: Mapping[str, int] = field(default_factory=dict)
    dependency_lines: Sequence[int | None] = ()
    document: Document | None = None
    within: Location = ()

    @property
    def plugin_id(self) -> str | None:
        """The id, where it is text at all."""
        plugin_id = self.table.get("id")
        return plugin_id if isinstance(plugin_id, str) else None

    def line_of(self, location: Location) -> int | None:
        """The line of an element of the table, or of what it stands in."""
        if self.document is not None:
            return self.document.line_of((*self.within, *location))
        match location:
            case ("dependencies", int(number), *_) if number < len(self.dependency_lines):
                return self.dependency_lines[number]
            case (str(key), *_) if key in self.key_lines:
                return self.key_lines[key]
        return self.line

    def error(
        self, message: str, hint: str, *, line: int | None = None, key: str | None = None
    ) -> MetadataLoadError:
        """An error about this description; at `line`, or at the line of `key`, or as a whole."""
        if line is None and key is not None:
            line = self.line_of((key,))
        return MetadataLoadError(
            message,
            plugin_id=self.plugin_id,
            path=self.path,
            line=self.line if line is None else line,
            hint=hint,
        )


def manifest_description(
    document: Document,
    table: Mapping[str, Any] | None = None,
    *,
    within: Location = (),
    offset: int = 0,
) -> Description:
    """The description that a manifest gives.

    Args:
        document: the manifest.
        table: the part of it that describes the plugin, for one that lists several.
        within: the keys and indices that lead to that table.
        offset: where in the document's text it begins.
    """
    table = document.data if table is None else table
    ids = _dependency_ids(table.get("dependencies"))
    lines = document.dependency_lines(ids, offset) if ids else ()
    return Description(
        table,
        document.path,
        document.id_line(offset),
        dependency_lines=lines,
        document=document,
        within=within,
    )


def descriptor_from(
    description: Description,
    source: Path,
    api_version: int | None = None,
    needs: PythonNeeds | None = None,
) -> PluginDescriptor:
    """The descriptor that a description means.

    Args:
        description: what is said of the plugin.
        source: the file or folder of the plugin; takes the place of the table's `path`.
        api_version: what the source says of it; holds where the table says nothing.
        needs: the environment that the source asks for; likewise.

    Raises:
        MetadataLoadError: the table has keys or values that no descriptor has.
    """
    _refuse_locations(description)
    table = {**description.table, "path": source}
    table["declared_in"] = SourceLocation(description.path, description.line)
    if table.get("dependencies"):
        table["dependencies"] = _located(table["dependencies"], description)
    if table.get("security"):
        line = description.line_of(("security",))
        table["rights_declared_in"] = SourceLocation(description.path, line)
    if api_version is not None:
        _add_api_version(table, api_version)
    if needs is not None:
        table.setdefault("python", needs)
    try:
        return plain_descriptor(table) or PluginDescriptor.model_validate(table)
    except ValidationError as error:
        raise _translated(error, description) from error


def _refuse_locations(description: Description) -> None:
    """The model has a place for them, but they are filled in here and not by the author."""
    dependencies = description.table.get("dependencies")
    tables = [description.table, *(dependencies if isinstance(dependencies, list | tuple) else ())]
    for key in _FILLED_IN:
        if any(isinstance(table, Mapping) and key in table for table in tables):
            raise description.error(
                f"{key} is not for a description to say",
                "Take it out; the file and line are filled in when it is read.",
                key=key,
            )


def _dependency_ids(dependencies: object) -> list[str]:
    """The ids of the dependencies, as they are to be found in the text; "" for what has none."""
    if not isinstance(dependencies, list | tuple):
        return []
    texts = [item.get("plugin_id") if isinstance(item, Mapping) else item for item in dependencies]
    found = [_LEADING_ID.match(text) if isinstance(text, str) else None for text in texts]
    return [match[1] if match else "" for match in found]


def _located(dependencies: Any, description: Description) -> Any:
    """The dependencies, each with the line that declares it; what is malformed stays as it is."""
    if not isinstance(dependencies, list | tuple):
        return dependencies
    lines = [*description.dependency_lines, *([None] * len(dependencies))]
    return [
        _with_location(item, SourceLocation(description.path, line or description.line))
        for item, line in zip(dependencies, lines, strict=False)
    ]


def _with_location(item: Any, location: SourceLocation) -> Any:
    if isinstance(item, str):
        plain = plain_dependency(item, location)
        if plain is not None:
            return plain
        try:
            item = PluginDependency.model_validate(item)
        except ValidationError:
            return item  # said again, with its place, for the whole description
        return item.model_copy(update={"declared_in": location})
    if isinstance(item, Mapping):
        located = {**item, "declared_in": location}
        if isinstance(text := item.get("version_req"), str):
            located["version_req"] = _requirement(text)
        return located
    return item


# A pure function of an immutable value. The plugins of a folder ask for the same few versions
# over and over, and parsing a requirement costs as much as all else of a dependency.
@lru_cache(maxsize=1024)
def _requirement(text: str) -> VersionReq | str:
    """The requirement; or its text if it is none, for validation to say what is wrong."""
    try:
        return VersionReq.parse(text)
    except InvalidRequirementError:
        return text


def _add_api_version(table: dict[str, Any], api_version: int) -> None:
    """What the source says goes under `runtime`, where the description says nothing of it."""
    runtime = table.get("runtime", {})
    if "api_version" not in table and isinstance(runtime, Mapping):
        table["runtime"] = {"api_version": api_version, **runtime}


def _translated(error: ValidationError, description: Description) -> MetadataLoadError:
    found = complaints(error, description.table)
    texts = [str(complaint) for complaint in found[:_SHOWN]]
    if len(found) > _SHOWN:
        texts.append(f"and {len(found) - _SHOWN} more")
    return description.error(
        "\n  ".join(texts),
        _hint(found[0].location),
        line=description.line_of(found[0].location),
    )


def _hint(location: Location) -> str:
    """What helps with what is wrong, by the table that it is in."""
    return _HINTS.get(location[0], _HINT) if location else _HINT


_HINT = "Correct it there; id and version are all that a plugin must say."
_HINTS: Mapping[object, str] = {
    "python": 'Correct it there, such as requires = ">=3.11" and dependencies = ["pandas>=2,<3"]; '
    "without [python], the plugin runs in the manager's own environment.",
    "dependencies": "Correct it there: plugins are named with the versions that will do, such as "
    '"counter ^1.2". Python packages go under [python].',
    "security": "Correct it there; without it, a plugin has no rights beyond computing.",
}
