"""A magic's line, cut into words; JSON in it stays whole, with its spaces and quotes."""

from __future__ import annotations

import json
import re
import shlex

from IPython.core.error import UsageError

_NAME = re.compile(r"(?:[\w.-]+=)?(?=[{\[])")
_WORD = re.compile(r"""(?:[^\s"']|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')+""")
_DECODER = json.JSONDecoder()


def raw_words(line: str) -> list[str]:
    """The words as they were typed, with their quotes.

    Raises:
        UsageError: a quote is not closed.
    """
    words = []
    position = _skip_spaces(line, 0)
    while position < len(line):
        end = _json_end(line, position) or _word_end(line, position)
        words.append(line[position:end])
        position = _skip_spaces(line, end)
    return words


def unquoted(word: str) -> str:
    """A word without its quotes, as a shell reads it."""
    return "".join(shlex.split(word))


def _skip_spaces(line: str, position: int) -> int:
    while position < len(line) and line[position].isspace():
        position += 1
    return position


def _json_end(line: str, position: int) -> int | None:
    """Where a JSON array or object ends that starts here, perhaps behind `name=`."""
    start = _NAME.match(line, position)
    if start is None:
        return None
    try:
        _, end = _DECODER.raw_decode(line, start.end())
    except (ValueError, RecursionError):
        return None
    return end if end == len(line) or line[end].isspace() else None


def _word_end(line: str, position: int) -> int:
    found = _WORD.match(line, position)
    if found is None or (found.end() < len(line) and not line[found.end()].isspace()):
        raise UsageError(f"a quote is not closed: {line[position:][:80]}")
    return found.end()
