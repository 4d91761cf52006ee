"""Plugins that one file lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nebula_lab.discovery.base import DiscoveryResult, PluginReading, one_per_id, problem_from
from nebula_lab.discovery.describing import Description, manifest_description
from nebula_lab.discovery.document import Document, read_document
from nebula_lab.discovery.reading import read_description, read_reading
from nebula_lab.discovery.regular_file import readable
from nebula_lab.errors import DiscoveryError, MetadataLoadError, nearest_names
from nebula_lab.model.descriptor import SourceLocation
from nebula_lab.model.formats import PARSERS
from nebula_lab.model.problem import Problem

LIST_KEY = "plugins"


class ManifestDiscoverer:
    """Finds the plugins that a TOML, JSON or YAML file lists under `plugins`.

    Each is a whole description with its `path`, or only the path of a plugin or of its manifest,
    relative to the list. A file that describes a single plugin, without a list, is taken too.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()

    def discover(self) -> DiscoveryResult:
        """Read the list; a missing file raises DiscoveryError."""
        if not self._path.exists():
            raise DiscoveryError(
                "the manifest is not there",
                path=self._path,
                hint="Check the path under discovery; a relative one is taken from the "
                "configuration's folder.",
            )
        problems: list[Problem] = []
        readings: list[PluginReading] = []
        try:
            for item in _items(_read_list(self._path)):
                try:
                    with readable(self._path):
                        readings.append(_read_item(item))
                except MetadataLoadError as error:
                    problems.append(problem_from(error))
        except MetadataLoadError as error:
            problems.append(problem_from(error))
        return one_per_id(readings, problems)


def _read_list(path: Path) -> Document:
    if path.suffix.lower() not in PARSERS:
        raise MetadataLoadError(
            f"a manifest is one of {', '.join(PARSERS)}",
            path=path,
            hint="Rename it by the language that it is written in.",
        )
    return read_document(path)


def _items(document: Document) -> Iterator[Description]:
    if LIST_KEY not in document.data and "id" in document.data:
        yield manifest_description(document)
        return
    listed = document.data.get(LIST_KEY)
    unknown = [key for key in document.data if key != LIST_KEY]
    if unknown or not isinstance(listed, list):
        raise _no_list(document, unknown)
    offset = 0
    for number, item in enumerate(listed):
        table = item if isinstance(item, Mapping) else {"path": item}
        offset = _offset_of(document, table, offset)
        yield manifest_description(document, table, within=(LIST_KEY, number), offset=offset)


def _offset_of(document: Document, table: Mapping[str, Any], start: int) -> int:
    """Where an item of the list begins, by its id or path, in the order of the list."""
    value = table.get("id", table.get("path"))
    found = document.text.find(value, start) if isinstance(value, str) and value else -1
    return start if found < 0 else document.text.rfind("\n", 0, found) + 1


def _read_item(item: Description) -> PluginReading:
    path = item.table.get("path")
    if "id" in item.table:
        if item.within and path is None:
            raise item.error("it has no path", 'Write path = "./my_plugin.py" beside its id.')
        return read_description(item)
    if not isinstance(path, str) or not path:
        raise item.error(
            "an entry of the list is neither a path nor a description with an id",
            'Write path = "./my_plugin.py" for each plugin.',
        )
    others = [key for key in item.table if key != "path"]
    if others:
        raise item.error(
            f"an entry with {', '.join(others)} and no id",
            "Write its id and version, or its path alone.",
            key=others[0],
        )
    return _read_path(item, path)


def _read_path(item: Description, path: str) -> PluginReading:
    try:
        return read_reading(item.path.parent / path)
    except MetadataLoadError as error:
        listed = SourceLocation(Path(item.path.name), item.line_of(("path",)))
        raise MetadataLoadError(
            f"{error.message} (listed in {listed})",
            plugin_id=error.plugin_id,
            path=error.path,
            line=error.line,
            hint=error.hint,
        ) from error


def _no_list(document: Document, unknown: list[str]) -> MetadataLoadError:
    if unknown:
        nearest = nearest_names(unknown[0], [LIST_KEY], 1)
        cure = f"Did you mean {nearest[0]}?" if nearest else "The list stands under plugins."
        return MetadataLoadError(
            f"the manifest has an unknown key {unknown[0]!r}",
            path=document.path,
            line=document.line_of((unknown[0],)),
            hint=cure,
        )
    return MetadataLoadError(
        "the manifest has no list of plugins",
        path=document.path,
        hint="Write a [[plugins]] table with a path for each plugin.",
    )
