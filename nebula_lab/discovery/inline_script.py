"""Inline metadata of a script, as in PEP 723: a TOML document in a block of comments.

It is text in a comment, so it is read from the bytes and needs no parser of Python.
"""

from __future__ import annotations

import io
import re
import tokenize
from pathlib import Path
from typing import Any

from msgspec import Struct
from pydantic import ValidationError

from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.complaints import complaints
from nebula_lab.model.formats import PARSERS
from nebula_lab.model.python_needs import PythonNeeds
from nebula_lab.model.syntax import DocumentSyntaxError, LineFinder

__all__ = ["OPENING", "InlineScript", "inline_script"]

_SHOWN = 5

# The expression of the specification, on bytes.
_BLOCK = re.compile(
    rb"^# /// (?P<type>[a-zA-Z0-9-]+)[ \t\r]*$\n(?P<content>(?:^#(?:| .*)$\n)+)^# ///[ \t\r]*$",
    re.MULTILINE,
)
OPENING = b"# /// script"
# What the block may say besides, to other programs.
_OTHERS = frozenset({"tool"})


class InlineScript(Struct, frozen=True):
    """What a block says.

    Attributes:
        needs: the environment that it asks for.
        line: of its opening, counted from 1.
    """

    needs: PythonNeeds
    line: int


def inline_script(content: bytes, path: Path) -> InlineScript | None:
    """The block `script` of a source; None without one.

    Raises:
        MetadataLoadError: there are several, or it is not what it should be.
    """
    if OPENING not in content:  # nearly all sources
        return None
    content = content.replace(b"\r\n", b"\n")
    blocks = [one for one in _BLOCK.finditer(content + b"\n") if one["type"] == b"script"]
    if not blocks:
        return None
    line = content.count(b"\n", 0, blocks[0].start()) + 1
    if len(blocks) > 1:
        second = content.count(b"\n", 0, blocks[1].start()) + 1
        raise _refusal(
            f"has a second block of inline metadata; the first is in line {line}",
            path,
            second,
            "Keep one block `# /// script`.",
        )
    return _read(blocks[0]["content"], _encoding(content, path), path, line)


def _read(block: bytes, encoding: str, path: Path, line: int) -> InlineScript:
    try:
        text = block.decode(encoding)
    except UnicodeDecodeError as error:
        raise _refusal(f"inline metadata: {error}", path, line, "Save it as UTF-8.") from error
    stripped = "".join(one[2:] if one.startswith("# ") else one[1:] for one in _lines(text))
    try:
        table, line_in_block = PARSERS[".toml"](stripped)
    except DocumentSyntaxError as error:
        raise _refusal(
            f"inline metadata: {error.message}",
            path,
            line + (error.line or 1),
            error.hint or "Correct the block of comments there.",
        ) from error
    kept = {key: value for key, value in table.items() if key not in _OTHERS}
    return InlineScript(_needs(kept, line_in_block, path, line), line)


def _needs(table: dict[str, Any], line_of: LineFinder, path: Path, line: int) -> PythonNeeds:
    try:
        return PythonNeeds.model_validate(table)
    except ValidationError as error:
        found = complaints(error, table)
        location = found[0].location
        if location[:1] == ("requires",) and "requires" not in table:
            location = ("requires-python",)  # as it is called there
        text = "\n  ".join(str(one) for one in found[:_SHOWN])
        raise _refusal(
            f"inline metadata: {text}",
            path,
            line + (line_of(location) or 0),
            "Correct the block of comments there.",
        ) from error


def _lines(text: str) -> list[str]:
    return [f"{one}\n" for one in text.split("\n")[:-1]]


def _encoding(content: bytes, path: Path) -> str:
    """As the source declares it; a source that declares nonsense can't be read as Python either."""
    try:
        return tokenize.detect_encoding(io.BytesIO(content).readline)[0]
    except SyntaxError as error:
        raise _refusal(str(error), path, 1, "Save it as UTF-8.") from error


def _refusal(message: str, path: Path, line: int, hint: str) -> MetadataLoadError:
    return MetadataLoadError(message, path=path, line=line, hint=hint)
