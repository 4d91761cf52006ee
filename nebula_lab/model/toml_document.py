"""TOML text into plain values, with lines, which tomllib does not keep."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from nebula_lab.model.complaints import Location
from nebula_lab.model.syntax import DocumentSyntaxError, LineFinder, too_deep

__all__ = ["parse_toml", "toml_line"]

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"\n]*"|'[^'\n]*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_HEADER = re.compile(rf"[ \t]*(?P<open>\[\[?)[ \t]*(?P<key>{_KEY})[ \t]*\]")
_ENTRY = re.compile(rf"[ \t]*(?P<key>{_KEY})[ \t]*=")
_LONG_QUOTE = re.compile(r"\"\"\"|'''")
# Nothing that we look for lies deeper; a header of 50,000 parts would cost their square.
_DEEPEST = 50
_MOST_PARTS = 500
_AT_LINE = re.compile(r" \(at line (?P<line>[0-9]+), column [0-9]+\)")


def parse_toml(text: str) -> tuple[Any, LineFinder]:
    """What `text` says, and where.

    Raises:
        DocumentSyntaxError: it is not TOML.
    """
    _refuse_long_keys(text)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        raise DocumentSyntaxError(
            f"not valid TOML: {_AT_LINE.sub('', str(error))}",
            line=int(at["line"]) if at else text.count("\n") + 1,
        ) from None
    except RecursionError:
        raise too_deep() from None
    return data, lambda location: toml_line(text, location)


def _refuse_long_keys(text: str) -> None:
    """Refuse keys for which the parser would take the square of their parts."""
    for line in text.split("\n"):
        if line.count(".") >= _MOST_PARTS:
            found = _HEADER.match(line) or _ENTRY.match(line)
            if found is not None and len(re.findall(_PART, found["key"])) > _MOST_PARTS:
                raise too_deep()


def toml_line(text: str, location: Location) -> int | None:
    """The line, from 1, of the element at `location`, or of the nearest one around it.

    Elements of an inline array or table have the line of the key that holds them. `text` is valid
    TOML; other text gives a line that means little.
    """
    lines: dict[Location, int] = {}
    for path, number in _entries(text):
        for length in range(1, len(path) + 1):
            lines.setdefault(path[:length], number)
    here: Location = ()
    for element in location:
        if (*here, element) in lines:
            here = (*here, element)
    return lines.get(here)


def _entries(text: str) -> Iterator[tuple[Location, int]]:
    """Each header and each key of the document: its full path and its line."""
    table: Location = ()
    counts: dict[Location, int] = {}
    for number, line in _lines_outside_long_strings(text):
        header = _HEADER.match(line)
        if header is not None:
            table = _absolute(_parts(header["key"]), counts, repeats=header["open"] == "[[")
            yield table, number
            continue
        entry = _ENTRY.match(line)
        if entry is not None:
            yield (*table, *_parts(entry["key"])), number


def _absolute(parts: Location, counts: dict[Location, int], *, repeats: bool) -> Location:
    """The path of a header; a step through an array of tables goes to its latest table."""
    path: Location = ()
    for depth, part in enumerate(parts, start=1):
        path = (*path, part)
        if repeats and depth == len(parts):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _parts(key: str) -> Location:
    found = (part.group() for part in re.finditer(_PART, key))
    return tuple(part.strip("\"'") for part in itertools.islice(found, _DEEPEST))


def _lines_outside_long_strings(text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines, without those that begin inside a string of several lines."""
    quote = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if not quote:
            yield number, line
        for found in _LONG_QUOTE.findall(line):
            if not quote:
                quote = found
            elif quote == found:
                quote = ""
