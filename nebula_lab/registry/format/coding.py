"""From the bytes of a document to its value, or an error that says what is wrong; and back."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

import msgspec
from msgspec import Struct

from nebula_lab.errors import RegistryAnswerError
from nebula_lab.registry.format.documents import FORMAT, Index, PluginDocument

__all__ = ["INDEX_LIMIT", "PLUGIN_LIMIT", "encoded", "read_index", "read_plugin"]

INDEX_LIMIT = 32 * 2**20  # bytes
PLUGIN_LIMIT = 16 * 2**20
_LONGEST = 300  # characters of what is wrong, in which the document may have a part
_PAGE = "it is a web page, not a document of a registry"
_Document = TypeVar("_Document", Index, PluginDocument)


class _Head(Struct):
    """What every format of a document begins with."""

    format: int = 0


def encoded(document: Index | PluginDocument) -> bytes:
    """The bytes of a document: one way only, and for people to read and compare."""
    content = msgspec.json.encode(document, order="sorted")
    return msgspec.json.format(content, indent=2) + b"\n"


def read_index(content: bytes, place: str) -> Index:
    """The index that `content` says.

    Args:
        content: all of it.
        place: its address without secrets, or its path.

    Raises:
        RegistryAnswerError: it is none.
    """
    index = _read(content, Index, place)
    _require_distinct([entry.id for entry in index.plugins], "plugin", place)
    return index


def read_plugin(content: bytes, plugin_id: str, place: str) -> PluginDocument:
    """What `content` says of a plugin; as `read_index`."""
    document = _read(content, PluginDocument, place)
    if document.id != plugin_id:
        raise RegistryAnswerError(
            f"it is about the plugin {document.id!r}, not {plugin_id!r}",
            path=place,
            hint="Ask whoever keeps the registry.",
        )
    _require_distinct([one.version for one in document.versions], "version", place)
    return document


def _read(content: bytes, kind: type[_Document], place: str) -> _Document:
    _require_known_format(content, place)
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise RegistryAnswerError(
            f"it is not what a registry says: {_said(error)}",
            path=place,
            hint="Ask whoever keeps the registry; docs/registry.md has the format.",
        ) from error


def _require_known_format(content: bytes, place: str) -> None:
    try:
        number = msgspec.json.decode(content, type=_Head).format
    except (msgspec.MsgspecError, RecursionError) as error:
        is_page = content.lstrip()[:1] == b"<"
        raise RegistryAnswerError(
            _PAGE if is_page else f"it is no JSON: {_said(error)}",
            path=place,
            hint="Open the address in a browser: it may be mistyped, or ask to log in."
            if is_page
            else "Check the address, and ask whoever keeps the registry.",
        ) from error
    if number > FORMAT:
        raise RegistryAnswerError(
            f"it is in format {number}, and this nebula_lab reads format {FORMAT}",
            path=place,
            hint="Use a newer nebula_lab.",
        )


def _said(error: Exception) -> str:
    return str(error)[:_LONGEST]


def _require_distinct(names: list[str], what: str, place: str) -> None:
    # Two ids that differ in case would be one file where the case of names does not count.
    counts = Counter(name.lower() for name in names)
    name, count = next(iter(counts.most_common(1)), ("", 0))
    if count > 1:
        raise RegistryAnswerError(
            f"it has the {what} {name} twice", path=place, hint="Ask whoever keeps the registry."
        )
