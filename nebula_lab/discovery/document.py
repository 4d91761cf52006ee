"""Manifests as documents: their bytes, their values, and the lines that things stand in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from msgspec import Struct

from nebula_lab.discovery.regular_file import MANIFEST_LIMIT, read_regular_file
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.formats import PARSERS
from nebula_lab.model.syntax import DocumentSyntaxError, LineFinder

# Keys at the start of their lines, as people write them; JSON on one line is searched as text.
_DEPENDENCIES_KEY = re.compile(
    r"^[ \t{,-]*(?:\[\[[ \t]*[\w.]*?|[\"']?)dependencies[\"']?[ \t]*(?:=|:|\]\])", re.MULTILINE
)
_ID_KEY = re.compile(r"^[ \t{,-]*[\"']?id[\"']?[ \t]*[=:]", re.MULTILINE)


class Document(Struct, frozen=True):
    """A manifest that was read and is a table.

    Attributes:
        path: the file.
        text: all of it.
        data: the table at its top.
        line_of: the line of an element, by keys and indices; slow, and meant for errors.
    """

    path: Path
    text: str
    data: dict[str, Any]
    line_of: LineFinder

    def line_at(self, offset: int) -> int:
        """The line, counted from 1, of an offset into the text."""
        return self.text.count("\n", 0, offset) + 1

    def id_line(self, start: int = 0) -> int | None:
        """The line of the first `id` at or after an offset."""
        found = _key_end(self.text, _ID_KEY, "id", start)
        return None if found is None else self.line_at(found)

    def dependency_lines(self, plugin_ids: Iterable[str], start: int = 0) -> list[int | None]:
        """The line that declares each dependency, for ids in the order of the document.

        Every plugin that is found needs these, so they cost no second parse: the text is searched
        for each id from where the one before it stands. None is for an id that is written in
        another way, such as with escapes.
        """
        cursor = _key_end(self.text, _DEPENDENCIES_KEY, "dependencies", start)
        if cursor is None:
            return [None for _ in plugin_ids]
        lines: list[int | None] = []
        line = self.line_at(cursor)
        for plugin_id in plugin_ids:
            found = _find_id(self.text, plugin_id, cursor)
            if found is not None:
                line += self.text.count("\n", cursor, found)
                cursor = found
            lines.append(None if found is None else line)
        return lines


def _key_end(text: str, pattern: re.Pattern[str], key: str, start: int) -> int | None:
    """The offset behind the first such key at or after `start`."""
    found = pattern.search(text, start)
    if found:
        return found.end()
    offset = text.find(f'"{key}"', start)
    return None if offset < 0 else offset + len(key) + 2


def _find_id(text: str, plugin_id: str, start: int) -> int | None:
    """The offset of an id at or after `start`, as a word of its own and not in a comment."""
    offset = text.find(plugin_id, start) if plugin_id else -1
    while offset >= 0:
        end = offset + len(plugin_id)
        line_start = text.rfind("\n", start, offset) + 1 or start
        if (
            text[offset - 1] in "\"' "
            and not re.match(r"[\w.-]", text[end : end + 1])
            and "#" not in text[line_start:offset]
        ):
            return offset
        offset = text.find(plugin_id, end)
    return None


def read_document(path: Path) -> Document:
    """Read one TOML, JSON or YAML file, by its suffix.

    Raises:
        MetadataLoadError: it can't be read, is no such document (with the line), or has
            something other than a table at its top.
    """
    text = _text_of(path)
    try:
        data, line_of = PARSERS[path.suffix.lower()](text)
    except DocumentSyntaxError as error:
        raise MetadataLoadError(
            error.message,
            path=path,
            line=error.line,
            hint=error.hint or "Correct the manifest there.",
        ) from error
    except ValueError as error:  # such as a number with more digits than Python converts
        raise MetadataLoadError(
            f"holds a value that can't be read: {error}",
            path=path,
            hint="Manifests hold short texts and numbers.",
        ) from error
    if not isinstance(data, dict):
        raise MetadataLoadError(
            f"holds a {type(data).__name__} where a table was expected",
            path=path,
            hint='A manifest begins with keys such as id = "my_plugin".',
        )
    return Document(path, text, data, line_of)


def _text_of(path: Path) -> str:
    content = read_regular_file(path, MANIFEST_LIMIT)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MetadataLoadError(
            f"byte {error.start} is not UTF-8",
            path=path,
            line=content.count(b"\n", 0, error.start) + 1,
            hint="Save the manifest as UTF-8.",
        ) from error
