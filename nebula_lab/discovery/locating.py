"""Which file or folder a manifest speaks of, and which manifest speaks of a file or folder."""

from __future__ import annotations

from pathlib import Path

from nebula_lab.discovery.describing import Description
from nebula_lab.errors import MetadataLoadError

SOURCE_SUFFIXES = (".py", ".ipynb", ".wasm")
MANIFEST_SUFFIXES = (".toml", ".json")
FOLDER_MANIFESTS = ("plugin.toml", "plugin.json")
# What the seed's manifests name; here the plugin is the Python source of the same name.
NATIVE_SUFFIXES = (".so", ".dll", ".dylib")


def manifest_of(source: Path) -> Path | None:
    """The manifest that goes with a source: inside a folder, or beside it under its name."""
    places = [source / name for name in FOLDER_MANIFESTS] if source.is_dir() else []
    places += [source.with_name(source.stem + suffix) for suffix in MANIFEST_SUFFIXES]
    return next((place for place in places if place.is_file()), None)


def source_of(description: Description, default: Path | None) -> Path:
    """The file or folder that a manifest describes.

    Args:
        description: the manifest; its `path` is relative to its own folder.
        default: the source that it stands beside, for one without `path`.

    Raises:
        MetadataLoadError: `path` leads nowhere, or there is none and several files could be meant.
    """
    written = description.table.get("path")
    if written is None:
        return _source_beside(description) if default is None else default
    if not isinstance(written, str) or not written:
        raise description.error(
            "its path is not text", 'Write path = "./my_plugin.py".', key="path"
        )
    # Most manifests name the source that they stand beside, which the walk has seen already.
    if default is not None and written.removeprefix("./") == default.name:
        return default
    return _named_source(description, written)


def _source_beside(description: Description) -> Path:
    manifest = description.path
    if manifest.name in FOLDER_MANIFESTS:
        return source_in(manifest.parent, description)
    places = [manifest.with_suffix(suffix) for suffix in SOURCE_SUFFIXES]
    if (found := next((place for place in places if place.is_file()), None)) is not None:
        return found
    if (manifest.with_suffix("") / "__init__.py").is_file():
        return manifest.with_suffix("")
    raise description.error(
        f"there is no {places[0].name} beside it and it gives no path",
        'Put the source there, or write path = "./its_file.py" into the manifest.',
    )


def _named_source(description: Description, written: str) -> Path:
    source = description.path.parent / written
    try:
        if source.suffix in NATIVE_SUFFIXES and source.with_suffix(".py").is_file():
            return source.with_suffix(".py")
        if source.is_dir():
            return source_in(source, description)
        if source.suffix in SOURCE_SUFFIXES and source.exists():
            return source
        there = source.exists()
    except (OSError, ValueError):
        there = False
    if there or source.suffix in NATIVE_SUFFIXES:
        raise description.error(
            f"its path {written!r} is not a plugin",
            "A plugin is a .py file, a .ipynb notebook, a .wasm component or a folder.",
            key="path",
        )
    raise description.error(
        f"its path {written!r} leads to nothing",
        f"The path is taken from the manifest's folder, {description.path.parent}.",
        key="path",
    )


def source_in(folder: Path, description: Description) -> Path:
    """The source in a folder that its manifest describes: the package itself, or its one file.

    Raises:
        MetadataLoadError: there is no source, or there are several and none has a telling name.
    """
    if (folder / "__init__.py").is_file():
        return folder
    for name in ("plugin", folder.name):
        for suffix in SOURCE_SUFFIXES:
            if (folder / f"{name}{suffix}").is_file():
                return folder / f"{name}{suffix}"
    for suffix in SOURCE_SUFFIXES:
        sources = sorted(
            entry
            for entry in folder.iterdir()
            if entry.suffix == suffix
            and not entry.name.startswith(".")
            and manifest_of(entry) is None
        )
        if len(sources) == 1:
            return sources[0]
        if sources:
            names = ", ".join(source.name for source in sources[:5])
            raise description.error(
                f"it does not say which source it describes: {names} are there",
                f'Write path = "./{sources[0].name}" into the manifest.',
            )
    raise description.error(
        f"there is no source in {folder}",
        "Put the plugin's __init__.py or plugin.py there, or write its path into the manifest.",
    )


def main_file(source: Path) -> Path:
    """The file with a source's `plugin_entry`.

    Raises:
        MetadataLoadError: a folder that is not a package.
    """
    if not source.is_dir():
        return source
    if (source / "__init__.py").is_file():
        return source / "__init__.py"
    raise MetadataLoadError(
        "is a folder without __init__.py and without a manifest",
        path=source,
        hint="Add an __init__.py with PLUGIN_METADATA, or a plugin.toml.",
    )
