"""Descriptors of plugins that say no more of themselves than most do, without pydantic's work.

To compile the models of a descriptor takes longer than to find a folder of plugins. What is read
here is read as the model reads it; where anything else is said, or anything is wrong, there is no
answer, and the model has to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nebula_lab.errors import InvalidRequirementError, InvalidVersionError
from nebula_lab.model.descriptor import (
    ID,
    ID_AND_REQUIREMENT,
    MOST_ITEMS,
    PluginDependency,
    PluginDescriptor,
    PluginMetadata,
    SourceLocation,
)
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.rights import RuntimeOptions
from nebula_lab.model.version import Version

__all__ = ["plain_dependency", "plain_descriptor"]

# Characters that a text may have, as the model says; the others that it knows are looked at there.
_LONGEST = {"author": 1000, "description": 20_000, "license": 1000, "homepage": 1000}
_LONGEST_NAME = 1000
_LONGEST_TAG = 100
_OWN = frozenset(
    {"id", "name", "version", "path", "dependencies", "runtime", "declared_in", "tags"}
)
_KNOWN = _OWN | _LONGEST.keys()
_LARGEST_API_VERSION = 2**31


def plain_dependency(text: str, declared_in: SourceLocation) -> PluginDependency | None:
    """The dependency that a text such as `base_resource >=1.0` means; None where it is none."""
    match = ID_AND_REQUIREMENT.fullmatch(text)
    if match is None:
        return None
    try:
        requirement = VersionReq.parse(match["req"].strip() or "*")
    except InvalidRequirementError:
        return None
    return PluginDependency.model_construct(
        {"plugin_id", "version_req", "declared_in"},
        plugin_id=match["id"],
        version_req=requirement,
        declared_in=declared_in,
    )


def plain_descriptor(table: Mapping[str, Any]) -> PluginDescriptor | None:
    """The descriptor that a table means; None where the model has to look at it."""
    plugin_id = table.get("id")
    if not _KNOWN.issuperset(table) or type(plugin_id) is not str or not ID.fullmatch(plugin_id):
        return None
    name, version = table.get("name") or plugin_id, _version(table.get("version"))
    dependencies = table.get("dependencies", ())
    is_plain = _is_text(name, _LONGEST_NAME) and _are_dependencies(dependencies)
    metadata, runtime = _metadata(table), _runtime(table)
    path, place = table.get("path"), table.get("declared_in")
    if not is_plain or version is None or metadata is None or runtime is None:
        return None
    if not isinstance(path, Path) or type(place) is not SourceLocation:
        return None
    said = {"id": plugin_id, "name": name, "version": version, "path": path, "declared_in": place}
    if "dependencies" in table:
        said["dependencies"] = tuple(dependencies)
    if metadata.model_fields_set:
        said["metadata"] = metadata
    if "runtime" in table:
        said["runtime"] = runtime
    return PluginDescriptor.model_construct(set(said), **said)


def _version(text: object) -> Version | None:
    if type(text) is not str:
        return None
    try:
        return Version.parse(text)
    except InvalidVersionError:
        return None


def _are_dependencies(found: object) -> bool:
    return (
        isinstance(found, list | tuple)
        and len(found) <= MOST_ITEMS
        and all(type(one) is PluginDependency for one in found)
    )


def _metadata(table: Mapping[str, Any]) -> PluginMetadata | None:
    said: dict[str, Any] = {key: table[key] for key in _LONGEST if key in table}
    if not all(_is_text(text, _LONGEST[key]) for key, text in said.items()):
        return None
    if "tags" in table:
        tags = table["tags"]
        if not isinstance(tags, list | tuple) or len(tags) > MOST_ITEMS:
            return None
        if not all(_is_text(tag, _LONGEST_TAG) and tag for tag in tags):
            return None
        said["tags"] = tuple(tags)
    return PluginMetadata.model_construct(set(said), **said)


def _runtime(table: Mapping[str, Any]) -> RuntimeOptions | None:
    """What `api_version` alone gives, which is all that a source says of how it is hosted."""
    if "runtime" not in table:
        return RuntimeOptions.by_default()
    found = table["runtime"]
    if type(found) is not dict or found.keys() != {"api_version"}:
        return None
    version = found["api_version"]
    if type(version) is not int or not 0 <= version < _LARGEST_API_VERSION:
        return None
    return RuntimeOptions.model_construct({"api_version"}, api_version=version)


def _is_text(text: object, longest: int) -> bool:
    """Whether a text is short enough, and one that can be written: halves of a pair can't."""
    if type(text) is not str or len(text) > longest:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
