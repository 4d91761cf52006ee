"""What is different between two versions of a plugin's files, for people."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from nebula_lab.plugin.safe_text import prose

MOST_COMPARED = 200_000  # bytes of one file
_MOST_LINES = 120
_MOST_TEXT = 20_000  # characters


def source_diff(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str:
    """A unified diff of text files by path; others are only named.

    Returns:
        Text that is safe to show, with an end; "" where nothing is different.
    """
    lines: list[str] = []
    for path in sorted({*before, *after}):
        if before.get(path) != after.get(path):
            lines += _file_diff(path, before.get(path), after.get(path))
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], f"… {len(lines) - _MOST_LINES:,} more lines"]
    return prose("\n".join(lines), _MOST_TEXT)


def _file_diff(path: str, before: bytes | None, after: bytes | None) -> Iterator[str]:
    old, new = _lines(before), _lines(after)
    if old is None or new is None:
        yield f"{path}: {'changed' if before and after else 'added' if after else 'removed'}"
        return
    yield from difflib.unified_diff(old, new, f"{path} (serves)", f"{path} (new)", lineterm="")


def _lines(content: bytes | None) -> list[str] | None:
    """The lines of a text; None for what is none."""
    try:
        text = (content or b"").decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text.splitlines()
