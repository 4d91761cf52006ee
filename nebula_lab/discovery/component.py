"""Components as plugins: what they say of themselves in a section of their file."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from nebula_lab.discovery.component_sections import (
    ComponentFileError,
    NotAComponentError,
    custom_sections,
    with_section,
)
from nebula_lab.discovery.describing import (
    Description,
    descriptor_from,
    manifest_description,
)
from nebula_lab.discovery.document import Document
from nebula_lab.discovery.regular_file import COMPONENT_LIMIT, MANIFEST_LIMIT, regular_file
from nebula_lab.discovery.source import SourceMetadata
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.capability import PluginCapability
from nebula_lab.model.descriptor import COMPONENT_SUFFIX, PluginDescriptor
from nebula_lab.model.formats import PARSERS
from nebula_lab.model.syntax import DocumentSyntaxError

__all__ = [
    "COMPONENT_SUFFIX",
    "METADATA_SECTION",
    "component_metadata",
    "require_fit",
    "with_metadata",
]

METADATA_SECTION = "nebula-plugin"
_SECTION_FORMATS = (".toml", ".json")
# More memory is all that a component can be given.
_GRANTABLE = frozenset({PluginCapability.MEMORY_ALLOCATION})


def component_metadata(path: Path, *, described: bool = False) -> SourceMetadata:
    """Read what a component says of its plugin, in a custom section; nothing of it runs.

    Args:
        path: the file.
        described: it has a manifest, so that it must be a component.

    Raises:
        MetadataLoadError: it can't be read, is cut off, or its section is neither TOML nor JSON.
    """
    try:
        with regular_file(path, COMPONENT_LIMIT) as (file, size):
            text = _metadata_text(file, size)
    except NotAComponentError as error:
        if not described:
            return SourceMetadata()  # some other program's
        raise _unreadable(error, path) from error
    except ComponentFileError as error:
        raise _unreadable(error, path) from error
    if text is None:
        return SourceMetadata()
    return SourceMetadata(_table(text, path))


def with_metadata(component: bytes, document: Document, path: Path) -> bytes:
    """A component that describes its plugin by what is in a manifest.

    Args:
        component: what is in its file.
        document: a manifest in TOML or JSON.
        path: of the component.

    Raises:
        MetadataLoadError: it is no component, or the manifest describes none.
    """
    description = manifest_description(document)
    if document.path.suffix not in _SECTION_FORMATS or "path" in document.data:
        raise description.error(
            "it can't be put into a component",
            "Give a .toml or .json file without a path: a component describes itself alone.",
            key="path",
        )
    require_fit(descriptor_from(description, path), description)
    try:
        return with_section(component, METADATA_SECTION, document.text.encode())
    except ComponentFileError as error:
        raise _unreadable(error, path) from error


def _unreadable(error: ComponentFileError, path: Path) -> MetadataLoadError:
    return MetadataLoadError(str(error), path=path, hint=error.hint)


def _metadata_text(file: BinaryIO, size: int) -> str | None:
    """What is in the section; None without one."""
    found = [one for one in custom_sections(file, size) if one.name == METADATA_SECTION]
    if not found:
        return None
    if len(found) > 1:
        raise ComponentFileError(f"has {len(found)} sections {METADATA_SECTION!r}")
    length = found[0].end - found[0].start
    if length > MANIFEST_LIMIT:
        raise ComponentFileError(
            f"has a section {METADATA_SECTION!r} of {length:,} bytes; at most "
            f"{MANIFEST_LIMIT:,} are read"
        )
    file.seek(found[0].start)
    return _decoded(file.read(length))


def _decoded(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ComponentFileError(
            f"has a section {METADATA_SECTION!r} that is not UTF-8: byte {error.start} of it"
        ) from error


def _table(text: str, path: Path) -> dict[str, object]:
    kind = ".json" if text.lstrip().startswith("{") else ".toml"
    try:
        data, _ = PARSERS[kind](text)
    except (DocumentSyntaxError, ValueError) as error:
        line = getattr(error, "line", None)
        where = f"line {line} of " if line else ""
        raise MetadataLoadError(
            f"{where}its section {METADATA_SECTION!r} is not {kind[1:].upper()}: {error}",
            path=path,
            hint="Put into it what would be in a plugin.toml.",
        ) from error
    if not isinstance(data, dict):
        raise MetadataLoadError(
            f"its section {METADATA_SECTION!r} holds a {type(data).__name__}, not a table",
            path=path,
            hint='It begins with keys such as id = "my_plugin".',
        )
    return data


def require_fit(descriptor: PluginDescriptor, description: Description) -> None:
    """Refuse a component that asks for what none can have.

    Raises:
        MetadataLoadError: with the key that asks for it.
    """
    if descriptor.python is not None:
        raise description.error(
            "it asks for a Python environment, and is a WebAssembly component, in which there is "
            "no Python",
            "Take the table python out of its description.",
            key="python",
        )
    if descriptor.runtime.concurrency > 1:
        raise description.error(
            f"it asks for {descriptor.runtime.concurrency} calls at once, and a WebAssembly "
            "component runs one at a time",
            "Take concurrency out of its description, or load it under several ids.",
            key="runtime",
        )
    asked = [one.value for one in descriptor.security.capabilities if one not in _GRANTABLE]
    if asked:
        raise description.error(
            f"it asks for {', '.join(asked)}, and a WebAssembly component can be given none of "
            "that: it has no files, no network and no processes",
            "Take it out of its description, and have it call a plugin that may do it.",
            key="security",
        )
