"""One plugin, from its manifest or from the literals in its source, without running it."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec.structs import replace

from nebula_lab.discovery.base import DiscoveryKind, PluginReading, problem_from
from nebula_lab.discovery.component import (
    COMPONENT_SUFFIX,
    METADATA_SECTION,
    component_metadata,
    require_fit,
)
from nebula_lab.discovery.describing import Description, descriptor_from, manifest_description
from nebula_lab.discovery.document import read_document
from nebula_lab.discovery.inline_script import InlineScript, inline_script
from nebula_lab.discovery.locating import (
    FOLDER_MANIFESTS,
    SOURCE_SUFFIXES,
    main_file,
    manifest_of,
    source_of,
)
from nebula_lab.discovery.regular_file import (
    NOTEBOOK_LIMIT,
    SOURCE_LIMIT,
    read_regular_file,
    readable,
)
from nebula_lab.discovery.source import SourceMetadata, declared_metadata, source_metadata
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.descriptor import PluginDescriptor, SourceLocation
from nebula_lab.model.formats import PARSERS
from nebula_lab.model.problem import Problem


def read_descriptor(path: Path) -> PluginDescriptor:
    """Read one plugin, given by its file, folder, notebook or manifest.

    Raises:
        MetadataLoadError: there is no plugin, or its metadata or source can't be read.
    """
    reading = read_reading(Path(path))
    for problem in reading.problems:
        if problem.severity == "error":
            raise problem.to_error()
    return reading.descriptor


def read_reading(path: Path) -> PluginReading:
    """As `read_descriptor`, with what there is to say about a plugin that could be read."""
    path = path.absolute()
    with readable(path):
        if path.suffix.lower() in PARSERS:
            return read_manifest(path)
        if (manifest := manifest_of(path)) is not None:
            return read_manifest(manifest, default=None if path.is_dir() else path)
        return _read_unlisted(path)


def read_source_metadata(path: Path) -> SourceMetadata:
    """What the source of a plugin says of itself: a .py file, a notebook, a package folder or a
    component.

    Raises:
        MetadataLoadError: it can't be read, is not Python, or its metadata are not literals.
    """
    file = main_file(path)
    if file.suffix == COMPONENT_SUFFIX:
        return component_metadata(file)
    if file.suffix == ".ipynb":
        content = read_regular_file(file, NOTEBOOK_LIMIT)
        said = _notebook_metadata(content, file)
        is_plugin = said.table is not None or said.has_entry
        return replace(said, script=_notebook_script(content, file)) if is_plugin else said
    content = read_regular_file(file, SOURCE_LIMIT)
    return replace(source_metadata(content, file), script=inline_script(content, file))


def read_manifest(path: Path, default: Path | None = None) -> PluginReading:
    """Read the plugin that a manifest describes.

    Args:
        path: the TOML, JSON or YAML file.
        default: the source that it stands beside, for a manifest without `path`.

    Raises:
        MetadataLoadError: the manifest can't be read, or does not go with its source.
    """
    return read_description(manifest_description(read_document(path)), default)


def read_description(description: Description, default: Path | None = None) -> PluginReading:
    """Read the plugin that a description of a manifest means; as `read_manifest`."""
    source = source_of(description, default)
    said = _said_by_source(source, description)
    _same_plugin(description, said, source)
    needs = None if said.script is None else said.script.needs
    descriptor = _fitting(
        descriptor_from(description, source, said.api_version, needs), description
    )
    return PluginReading(descriptor, _notes(descriptor, said, source))


def checked_against_source(descriptor: PluginDescriptor, description: Description) -> PluginReading:
    """A plugin that needs no reading any more, held against its source; as `read_manifest`."""
    source = source_of(description, None)
    said = _said_by_source(source, description)
    _same_plugin(description, said, source)
    changes: dict[str, object] = {"path": source}
    if said.api_version is not None and descriptor.runtime.api_version is None:
        changes["runtime"] = descriptor.runtime.model_copy(update={"api_version": said.api_version})
    if said.script is not None and descriptor.python is None:
        changes["python"] = said.script.needs
    descriptor = _fitting(descriptor.model_copy(update=changes), description)
    return PluginReading(descriptor, _notes(descriptor, said, source))


def read_embedded(source: Path) -> PluginReading | None:
    """Read a plugin that has no manifest; None for a source that is not a plugin.

    Raises:
        MetadataLoadError: it is one, by its `plugin_entry`, and says nothing of itself or
            something that can't be read.
    """
    said = read_source_metadata(source)
    file = main_file(source)
    if said.table is None:
        if said.has_entry:
            raise _undescribed(source, file)
        return None
    description = Description(said.table, file, said.line, said.key_lines, said.dependency_lines)
    if "path" in said.table:
        raise description.error(
            "its metadata give a path, but a source describes itself alone",
            'Take "path" out of PLUGIN_METADATA.',
            key="path",
        )
    if said.script is not None and "python" in said.table:
        raise description.error(
            f"PLUGIN_METADATA has a table python, and line {said.script.line} has inline metadata",
            "Say in one place which environment the plugin needs.",
            key="python",
        )
    needs = None if said.script is None else said.script.needs
    descriptor = _fitting(
        descriptor_from(description, source, said.api_version, needs), description
    )
    problems: tuple[Problem, ...] = ()
    if said.broken is not None:
        problems = (replace(problem_from(said.broken), plugin_id=descriptor.id),)
    return PluginReading(descriptor, problems)


def _fitting(descriptor: PluginDescriptor, description: Description) -> PluginDescriptor:
    """The descriptor, if what it asks for is to be had for what it is."""
    if descriptor.is_component:
        require_fit(descriptor, description)
    return descriptor


def _read_unlisted(path: Path) -> PluginReading:
    """A source by a `plugin.toml` beside it that means it, or by its own metadata."""
    if path.suffix not in SOURCE_SUFFIXES and path.exists() and not path.is_dir():
        raise MetadataLoadError(
            "is neither a plugin nor a manifest by its name",
            path=path,
            hint="A plugin is a .py file, a .ipynb notebook, a .wasm component or a folder.",
        )
    reading = _read_beside(path) or read_embedded(path)
    if reading is None:
        raise MetadataLoadError(
            "is not a plugin: it has neither metadata nor plugin_entry",
            path=path,
            hint=_how_to_describe(path),
        )
    return reading


def _read_beside(path: Path) -> PluginReading | None:
    if path.is_dir():
        return None
    places = [path.with_name(name) for name in FOLDER_MANIFESTS]
    manifest = next((place for place in places if place.is_file()), None)
    if manifest is None:
        return None
    description = manifest_description(read_document(manifest))
    try:
        means_it = source_of(description, None) == path
    except MetadataLoadError:
        means_it = False  # which other source it means is not the question here
    return read_description(description, path) if means_it else None


def _said_by_source(source: Path, description: Description) -> SourceMetadata:
    """What a source with a manifest says of itself; nothing, where that can't be told."""
    if source.is_dir():
        source = source / "__init__.py"
    if source.suffix == COMPONENT_SUFFIX:
        return component_metadata(source, described=True)
    notebook = source.suffix == ".ipynb"
    try:
        content = read_regular_file(source, NOTEBOOK_LIMIT if notebook else SOURCE_LIMIT)
    except MetadataLoadError as error:
        error.plugin_id = description.plugin_id
        raise
    try:
        script = (_notebook_script if notebook else inline_script)(content, source)
    except MetadataLoadError as error:
        error.plugin_id = description.plugin_id
        raise  # without it the plugin would run in another environment
    try:
        said = (_notebook_metadata if notebook else declared_metadata)(content, source)
    except MetadataLoadError:
        # The manifest holds. What is wrong with the source is said, with its own traceback,
        # by the load that fails; metadata that are computed there are the plugin's affair.
        said = SourceMetadata()
    return said if script is None else replace(said, script=script)


def _notebook_script(content: bytes, path: Path) -> InlineScript | None:
    from nebula_lab.discovery.notebook import notebook_script

    return notebook_script(content, path)


def _notebook_metadata(content: bytes, path: Path) -> SourceMetadata:
    from nebula_lab.discovery.notebook import notebook_metadata  # with the first notebook

    return notebook_metadata(content, path)


def _same_plugin(description: Description, said: SourceMetadata, source: Path) -> None:
    """Stop a source from running under the rights that were given to another plugin's id."""
    if said.table is None or "id" not in said.table:
        return
    claimed = said.table["id"]
    if claimed != description.plugin_id:
        raise description.error(
            f"the manifest says that the plugin is {description.plugin_id!r}, its source "
            f"{SourceLocation(source, said.line)} says {claimed!r}",
            "Make the two ids the same, or take PLUGIN_METADATA out of the source.",
        )


def _notes(descriptor: PluginDescriptor, said: SourceMetadata, source: Path) -> tuple[Problem, ...]:
    """Where the two say different things of a plugin."""
    return (
        *_version_notes(descriptor, said, source),
        *_environment_notes(descriptor, said, source),
    )


def _environment_notes(
    descriptor: PluginDescriptor, said: SourceMetadata, source: Path
) -> tuple[Problem, ...]:
    if said.script is None or descriptor.python == said.script.needs:
        return ()
    return (
        Problem(
            kind=DiscoveryKind.METADATA,
            message="the manifest and the inline metadata of the source ask for different "
            "environments; the manifest holds",
            plugin_id=descriptor.id,
            location=SourceLocation(source, said.script.line),
            cure="Say in one place which environment the plugin needs.",
            severity="note",
        ),
    )


def _version_notes(
    descriptor: PluginDescriptor, said: SourceMetadata, source: Path
) -> tuple[Problem, ...]:
    version = (said.table or {}).get("version")
    if version is None or version == str(descriptor.version):
        return ()
    return (
        Problem(
            kind=DiscoveryKind.METADATA,
            message=f"the manifest says version {descriptor.version}, the source says {version}; "
            "the manifest holds",
            plugin_id=descriptor.id,
            location=SourceLocation(source, said.line),
            cure="Say the version in one place only.",
            severity="note",
        ),
    )


def _undescribed(source: Path, file: Path) -> MetadataLoadError:
    return MetadataLoadError(
        "has a plugin_entry but no metadata",
        path=file,
        hint=f"Paste into it: {_metadata_to_paste(source)}",
    )


def _how_to_describe(source: Path) -> str:
    if source.suffix == COMPONENT_SUFFIX:
        return (
            f"Put a {source.stem}.toml beside it, or the same text into a custom section "
            f"{METADATA_SECTION!r} of it."
        )
    return f"Add {_metadata_to_paste(source)} and a plugin_entry function."


def _metadata_to_paste(source: Path) -> str:
    plugin_id = re.sub(r"[^A-Za-z0-9_.-]", "_", source.stem)
    plugin_id = plugin_id if re.match(r"[A-Za-z_]", plugin_id) else f"_{plugin_id}"
    return f'PLUGIN_METADATA = {{"id": "{plugin_id}", "version": "0.1.0"}}'
