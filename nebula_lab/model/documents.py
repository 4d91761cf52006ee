"""Documents on disk: YAML, TOML or JSON in, plain values and line numbers out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import Struct
from pydantic import ValidationError

from nebula_lab.errors import ConfigError
from nebula_lab.model.complaints import Location, complaints
from nebula_lab.model.formats import PARSERS
from nebula_lab.model.syntax import DocumentSyntaxError, LineFinder
from nebula_lab.plugin.errors import PluginError

__all__ = ["Document", "read_document"]

# A configuration is written by hand. Anything larger is the wrong file.
_LARGEST_BYTES = 5_000_000


class Document(Struct, frozen=True):
    """A file that has been read.

    Attributes:
        path: where it is.
        data: what it says, as plain values.
        line_of: the line of the element at a location, or of the nearest one around it that can
            be found; None where none can.
    """

    path: Path
    data: Any
    line_of: LineFinder

    def refusal(
        self,
        error: ValidationError,
        as_error: type[PluginError] = ConfigError,
        *,
        within: Location = (),
        plugin_id: str | None = None,
    ) -> PluginError:
        """`error` as one of our own, with file and line, to be raised.

        Args:
            within: the part of the document that was validated.
        """
        part = self.data
        for element in within:
            part = part[element]
        found = complaints(error, part, within=within)
        lines = [self.line_of(complaint.location) for complaint in found]
        texts = [str(found[0])]
        for complaint, line in zip(found[1:], lines[1:], strict=True):
            texts.append(str(complaint) if line is None else f"{complaint} (line {line})")
        return as_error("\n  ".join(texts), plugin_id=plugin_id, path=self.path, line=lines[0])


def read_document(
    path: str | Path,
    as_error: type[PluginError] = ConfigError,
    *,
    plugin_id: str | None = None,
    suffix: str | None = None,
) -> Document:
    """Read a YAML, TOML or JSON file, told apart by its name's ending, or by `suffix`.

    Raises:
        as_error: it is not there, not readable, or not what its name says; with the line.
    """
    path = Path(path)
    parse = PARSERS.get(suffix or path.suffix.lower())
    if parse is None:
        raise as_error(
            f"no document format goes with the name {path.name!r}",
            plugin_id=plugin_id,
            path=path,
            hint=f"The name ends in one of {', '.join(PARSERS)}.",
        )
    try:
        data, line_of = parse(_text_of(path))
    except DocumentSyntaxError as error:
        raise as_error(
            error.message, plugin_id=plugin_id, path=path, line=error.line, hint=error.hint
        ) from None
    return Document(path, data, line_of)


def _text_of(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():  # a pipe would block, a device never end
            raise DocumentSyntaxError("this is not a file", hint="Name the document itself.")
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise DocumentSyntaxError(
            f"can't be read: {reason}", hint="Check the path and its permissions."
        ) from None
    if len(content) > _LARGEST_BYTES:
        raise DocumentSyntaxError(
            f"has more than {_LARGEST_BYTES:,} bytes", hint="Check that this is the right file."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentSyntaxError(
            f"byte {error.start} is not UTF-8",
            line=content.count(b"\n", 0, error.start) + 1,
            hint="Save the file as UTF-8.",
        ) from None
