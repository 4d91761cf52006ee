"""From what a registry says of a version to our own values, and from these to what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from nebula_lab.errors import InvalidRequirementError, InvalidVersionError, RegistryAnswerError
from nebula_lab.model.complaints import complaints
from nebula_lab.model.descriptor import PluginDependency, PluginDescriptor, SourceLocation
from nebula_lab.model.release import Origin, Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.version import Version
from nebula_lab.registry.format import documents
from nebula_lab.registry.format.documents import PublishedVersion

__all__ = ["described", "descriptor_of", "release_of"]


def release_of(plugin_id: str, version: PublishedVersion, place: str) -> Release:
    """A version as what one can choose.

    Args:
        plugin_id: the plugin.
        version: what the registry says of it.
        place: the registry, for people.

    Raises:
        RegistryAnswerError: a version or requirement in it is none.
    """
    try:
        return Release(
            id=plugin_id,
            version=Version.parse(version.version),
            dependencies=tuple(
                PluginDependency(
                    plugin_id=one.id,
                    version_req=VersionReq.parse(one.requirement),
                    optional=one.optional,
                )
                for one in version.dependencies
            ),
            min_nebula_version=_version(version.min_nebula_version),
            max_nebula_version=_version(version.max_nebula_version),
            api_version=version.api_version,
            origin=Origin.REGISTRY,
            place=place,
            digest=version.tree,
            archive=version.archive.sha256,
            yanked=version.yanked,
        )
    except (InvalidVersionError, InvalidRequirementError, ValidationError) as error:
        said = error.message if not isinstance(error, ValidationError) else _complaint(error, {})
        raise _unusable(plugin_id, version, place, said) from error


def descriptor_of(
    plugin_id: str, version: PublishedVersion, place: str, folder: Path
) -> PluginDescriptor:
    """A version as what one can load.

    Args:
        plugin_id: the plugin.
        version: what the registry says of it.
        place: the registry, for people.
        folder: where its archive is, or will be, unpacked.

    Raises:
        RegistryAnswerError: it asks for what this nebula_lab does not know.
    """
    table = _table(plugin_id, version)
    declared = SourceLocation(folder / version.described_by)
    table |= {"path": folder / version.source, "declared_in": declared}
    table["rights_declared_in"] = declared
    try:
        return PluginDescriptor.model_validate(table)
    except ValidationError as error:
        raise _unusable(plugin_id, version, place, _complaint(error, table)) from error


def _table(plugin_id: str, version: PublishedVersion) -> dict[str, Any]:
    """As a manifest would say it."""
    metadata = msgspec.to_builtins(version.about)
    metadata["min_nebula_version"] = version.min_nebula_version
    metadata["max_nebula_version"] = version.max_nebula_version
    table = {
        "id": plugin_id,
        "version": version.version,
        "name": version.name,
        "dependencies": [
            {"plugin_id": one.id, "version_req": one.requirement, "optional": one.optional}
            for one in version.dependencies
        ],
        "metadata": metadata,
        "security": msgspec.to_builtins(version.security),
        "runtime": {**msgspec.to_builtins(version.runtime), "api_version": version.api_version},
    }
    if version.python is not None:
        table["python"] = msgspec.to_builtins(version.python)
    return table


def described(descriptor: PluginDescriptor) -> dict[str, Any]:
    """What a document says of a version because its description does, as fields of it."""
    metadata, runtime = descriptor.metadata, descriptor.runtime
    about = metadata.model_dump(mode="json", exclude={"min_nebula_version", "max_nebula_version"})
    python = descriptor.python
    table = {
        "version": str(descriptor.version),
        "name": descriptor.name,
        "api_version": runtime.api_version,
        "dependencies": [
            {"id": one.plugin_id, "requirement": str(one.version_req), "optional": one.optional}
            for one in descriptor.dependencies
        ],
        "min_nebula_version": _text(metadata.min_nebula_version),
        "max_nebula_version": _text(metadata.max_nebula_version),
        "python": None if python is None else python.model_dump(mode="json"),
        "about": about,
        "security": descriptor.security.model_dump(mode="json"),
        "runtime": runtime.model_dump(mode="json", exclude={"api_version"}),
    }
    types = {
        "dependencies": tuple[documents.Dependency, ...],
        "python": documents.Python | None,
        "about": documents.Description,
        "security": documents.Rights,
        "runtime": documents.Hosting,
    }
    return {
        key: msgspec.convert(value, types[key]) if key in types else value
        for key, value in table.items()
    }


def _version(text: str | None) -> Version | None:
    return None if text is None else Version.parse(text)


def _text(version: Version | None) -> str | None:
    return None if version is None else str(version)


def _complaint(error: ValidationError, table: dict[str, Any]) -> str:
    return str(complaints(error, table)[0])


def _unusable(
    plugin_id: str, version: PublishedVersion, place: str, said: str
) -> RegistryAnswerError:
    return RegistryAnswerError(
        f"its version {version.version} can't be used here: {said}",
        plugin_id=plugin_id,
        path=place,
        hint="A newer nebula_lab may know it; otherwise ask whoever keeps the registry.",
    )
