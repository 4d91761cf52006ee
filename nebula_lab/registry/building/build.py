"""From a folder of plugins to the folder of a registry that any file server can serve."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from nebula_lab.discovery import FileSystemDiscoverer
from nebula_lab.errors import PluginError, PublishingError, RegistryError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.registry.building.offering import index_of, with_version
from nebula_lab.registry.building.version import Packed, packed
from nebula_lab.registry.format.coding import encoded, read_index, read_plugin
from nebula_lab.registry.format.documents import PluginDocument
from nebula_lab.registry.format.paths import INDEX, archive_path, plugin_path
from nebula_lab.registry.publishing.changes import Change
from nebula_lab.registry.publishing.folder import RegistryFolder

__all__ = ["Built", "build"]

_SHOWN = 20


class Built(Struct, frozen=True):
    """What came of building a registry.

    Attributes:
        added: ids and versions that are there now and were not before.
        unchanged: those that were there already, with the same files.
        is_signed: whether there are signatures, which now are of what was there before.
    """

    added: tuple[tuple[str, str], ...]
    unchanged: tuple[tuple[str, str], ...]
    is_signed: bool


def build(folder: Path, out: Path, *, name: str | None = None, recursive: bool = False) -> Built:
    """Put every plugin of a folder into a registry.

    What is in the registry already stays, so that a folder with the newest version of each is
    enough. The same plugins give the same bytes, whenever and wherever it is done.

    Args:
        folder: the plugins; several versions of one may be there.
        out: the registry's folder; made if need be.
        name: of the registry; without, the one that it has.
        recursive: look into folders that are not plugins themselves.

    Raises:
        DiscoveryError: the folder can't be searched.
        PublishingError: plugins can't be published as they are; nothing was changed.
        StoreError: another process holds the registry's lock, or files can't be read.
    """
    descriptors = _plugins_in(folder, recursive)
    built = [packed(one) for one in descriptors]
    try:
        with RegistryFolder(out).changing() as change:
            return _put(out, change, built, name)
    except OSError as error:
        raise PublishingError(
            f"the registry can't be written: {error.strerror or error}",
            path=error.filename or out,
            hint="Check that there is room, and that you may write there.",
        ) from error


def _put(out: Path, change: Change, built: Iterable[Packed], name: str | None) -> Built:
    documents = documents_in(out)
    before = dict(documents)
    added, unchanged = [], []
    for one in built:
        known = documents.get(one.plugin_id)
        documents[one.plugin_id] = document = with_version(known, one)
        pair = (one.plugin_id, one.version.version)
        if document == known:
            unchanged.append(pair)
            continue
        added.append(pair)
        # First, so that what the documents speak of is there when they are.
        change.put(archive_path(one.version.archive.sha256), one.archive)
    index = index_of(_name(out) if name is None else name, documents.values())
    for plugin_id, document in documents.items():
        if document != before.get(plugin_id):
            change.put(plugin_path(plugin_id), encoded(document))
    content = encoded(index)
    if change.content(INDEX) != content:
        change.put(INDEX, content)
    signed = (out / "metadata").is_dir() and bool(change.paths)
    return Built(tuple(added), tuple(unchanged), signed)


def documents_in(out: Path) -> dict[str, PluginDocument]:
    """What the registry in a folder says of each plugin.

    Raises:
        RegistryAnswerError: a document in it is none.
    """
    found = {}
    for path in sorted(out.glob("plugins/*.json")):
        found[path.stem] = read_plugin(path.read_bytes(), path.stem, str(path))
    return found


def _name(out: Path) -> str:
    with contextlib.suppress(OSError, RegistryError):
        return read_index((out / INDEX).read_bytes(), str(out / INDEX)).name
    return ""


def _plugins_in(folder: Path, recursive: bool) -> list[PluginDescriptor]:
    readings, problems = FileSystemDiscoverer(folder, recursive=recursive).readings()
    problems += [problem for reading in readings for problem in reading.problems]
    errors: list[PluginError] = [one.to_error() for one in problems if one.severity == "error"]
    if not errors:
        return [reading.descriptor for reading in readings]
    texts = [str(error) for error in errors[:_SHOWN]]
    raise PublishingError(
        "not every plugin in the folder can be published:\n" + "\n".join(texts),
        path=folder,
        hint="Correct them, or move them out of the folder; nothing was written.",
    )
