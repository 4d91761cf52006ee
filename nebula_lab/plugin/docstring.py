"""What a docstring says: its first paragraph, and its words on each parameter.

Both common styles are read: Google's (`Args:` with indented entries) and NumPy's (`Parameters`
with an underline).
"""

from __future__ import annotations

import inspect
import re

_GOOGLE_SECTION = re.compile(r"(?:Args|Arguments|Parameters|Params|Keyword Args)\s*:\s*$")
_GOOGLE_ENTRY = re.compile(r"\*{0,2}(?P<name>\w+)\s*(?:\([^)]*\))?\s*:(?:\s+(?P<text>.*))?$")
_NUMPY_SECTION = re.compile(r"(?:Other )?Parameters\s*$")
_NUMPY_ENTRY = re.compile(r"(?P<names>\*{0,2}\w+(?:\s*,\s*\*{0,2}\w+)*)\s*(?::.*)?$")
_UNDERLINE = re.compile(r"-{3,}\s*$")


def first_paragraph(docstring: object) -> str:
    """The text up to the first empty line, on one line; empty when there is none."""
    if not isinstance(docstring, str):
        return ""
    return _joined(inspect.cleandoc(docstring).split("\n\n", 1)[0].splitlines())


def parameter_texts(docstring: object) -> dict[str, str]:
    """What the docstring says of each parameter, by name, each on one line."""
    if not isinstance(docstring, str):
        return {}
    lines = inspect.cleandoc(docstring).splitlines()
    texts: dict[str, str] = {}
    for index, line in enumerate(lines):
        below = lines[index + 1] if index + 1 < len(lines) else ""
        if _NUMPY_SECTION.match(line) and _UNDERLINE.match(below.strip()):
            texts |= _numpy_entries(lines[index + 2 :])
        elif _GOOGLE_SECTION.match(line):
            texts |= _google_entries(lines[index + 1 :])
    return texts


def _google_entries(lines: list[str]) -> dict[str, str]:
    section = _indented_block(lines)
    margin = min((_indent(line) for line in section if line.strip()), default=0)
    entries: dict[str, list[str]] = {}
    current: list[str] = []
    for line in section:
        entry = _GOOGLE_ENTRY.match(line.strip()) if _indent(line) == margin else None
        if entry is not None:
            current = entries.setdefault(entry["name"], [])
            current.append(entry["text"] or "")
        else:
            current.append(line)
    return _texts(entries)


def _numpy_entries(lines: list[str]) -> dict[str, str]:
    entries: dict[str, list[str]] = {}
    current: list[list[str]] = []
    for index, line in enumerate(lines):
        below = lines[index + 1] if index + 1 < len(lines) else ""
        if line.strip() and _UNDERLINE.match(below.strip()):  # the next section
            break
        entry = _NUMPY_ENTRY.match(line) if line.strip() and _indent(line) == 0 else None
        if entry is not None:
            names = [name.strip().lstrip("*") for name in entry["names"].split(",")]
            current = [entries.setdefault(name, []) for name in names]
        else:
            for text in current:
                text.append(line)
    return _texts(entries)


def _indented_block(lines: list[str]) -> list[str]:
    block = []
    for line in lines:
        if line.strip() and _indent(line) == 0:
            break
        block.append(line)
    return block


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())


def _texts(entries: dict[str, list[str]]) -> dict[str, str]:
    return {name: text for name, lines in entries.items() if (text := _joined(lines))}
