"""From a descriptor to the bytes of all files of its plugin, read once."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nebula_lab.errors import StoreError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.trust.contents import CollectedPlugin, PluginFiles, signed_list_path
from nebula_lab.trust.imports import imported_names, is_module, module_name
from nebula_lab.trust.intake import Intake

__all__ = ["collect"]


def collect(descriptor: PluginDescriptor) -> CollectedPlugin:
    """Read every file of a plugin, once; nothing of it runs.

    Of a package that is everything below it but caches and hidden files, and its manifest beside
    it. Of a single file it is the file, its manifest, its signature, and the modules and packages
    beside it that it imports, and these in turn; found from the syntax trees, so not what is
    imported under a name that is made up at run time. Paths are relative to the folder that holds
    the source. A manifest in another folder is not a part of the plugin.

    Raises:
        StoreError: there are too many or too large files, one that can't be read or is none, or a
            link that leads out of the folder.
    """
    source = _plain_source(descriptor.path)
    beside = Path(os.path.realpath(source.parent))
    intake = Intake(descriptor.id)
    try:
        is_package = source.is_dir()
        if is_package:
            intake.folder(source, source.name)
        else:
            intake.file(source, source.name, None)
            _take_signature(intake, source, beside)
            if source.suffix != ".wasm":  # a component has all that it is made of in it
                _take_imports(intake, source, beside)
        description = _take_description(intake, descriptor, source, beside)
    except OSError as error:
        raise StoreError(
            f"its files can't be read: {error.strerror or error}",
            plugin_id=descriptor.id,
            path=error.filename or source,
            hint="Check that they are there and that you may read them.",
        ) from error
    files = PluginFiles(source.name, tuple(sorted(intake.files.values())))
    return CollectedPlugin(
        descriptor.id,
        str(descriptor.version),
        source.parent,
        files,
        intake.contents,
        description,
    )


def _take_description(
    intake: Intake, descriptor: PluginDescriptor, source: Path, beside: Path
) -> str | None:
    """Take the manifest, if it is beside the source; the path of what describes the plugin."""
    if descriptor.declared_in is None:
        return None
    path = descriptor.declared_in.path.absolute()
    folder = Path(os.path.realpath(path.parent))
    if folder == beside:
        intake.file(source.parent / path.name, path.name, beside)
        return path.name
    package = Path(os.path.realpath(source))
    if not folder.is_relative_to(package):
        return None
    name = (Path(source.name) / folder.relative_to(package) / path.name).as_posix()
    return name if name in intake.contents else None


def _plain_source(path: Path) -> Path:
    """The source under a name of its own: a manifest may give `..` as its path."""
    source = path.absolute()
    if ".." not in source.parts:
        return source
    folder = Path(os.path.realpath(source.parent))
    return Path(os.path.realpath(source)) if source.name == ".." else folder / source.name


def _take_signature(intake: Intake, source: Path, beside: Path) -> None:
    signed_list = signed_list_path(source.name, is_package=False)
    for name in (signed_list, f"{signed_list}.sig"):
        path = source.parent / name
        if os.path.lexists(path):
            intake.file(path, name, beside)


def _take_imports(intake: Intake, source: Path, beside: Path) -> None:
    """Take what the source imports from beside it, and what that imports from there."""
    places = _importable(source)
    waiting = [source.name]
    while waiting and places:
        name = waiting.pop()
        wanted = imported_names(intake.contents[name], Path(name), places)
        for file_name in [name for module in sorted(wanted) for name in places.pop(module)]:
            waiting += _take_module(intake, source.parent / file_name, beside)


def _importable(source: Path) -> dict[str, list[str]]:
    """The files that can be imported from beside a source, by name; never the source itself."""
    places: dict[str, list[str]] = {}
    for file_name in sorted(os.listdir(source.parent)):  # noqa: PTH208 - on the path of every load
        name = module_name(file_name)
        if name is not None and file_name != source.name:
            places.setdefault(name, []).append(file_name)
    places.pop(source.stem, None)
    return places


def _take_module(intake: Intake, path: Path, beside: Path) -> Iterable[str]:
    """Take one module or package; the sources among what was taken."""
    before = set(intake.contents)
    if not path.is_dir():
        if not is_module(path.name):  # a file without a suffix, such as a LICENSE
            return ()
        intake.file(path, path.name, beside)
    elif path.is_symlink():
        raise StoreError(
            "is a link to a folder",
            path=path,
            hint="Put the folder there in its place, or remove the link.",
        )
    elif (path / "__init__.py").is_file():
        intake.folder(path, path.name)
    else:
        # A namespace package: the folder may be anything, only modules of it can be imported.
        intake.folder(path, path.name, is_module)
    return [name for name in intake.contents if name not in before and name.endswith(".py")]
