"""The Python of a notebook's cell. What is IPython's alone is left out, or refused by its line.

A plugin has no IPython around it, so what a magic or a shell command would do is not done. In the
first column they are a person's, for trying things out, and are left out. Where the plugin would
count on one, within a block or for a value, it is an error.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from typing import NamedTuple

# What these magics stand before is run in the notebook's own names, so it may be the plugin's code.
_RUN_A_CELL = frozenset({"time", "capture"})
_RUN_A_LINE = frozenset({"time"})

_CELL_MAGIC = re.compile(r"\s*%%(?P<name>\w*).*")
# Ways in which a statement of IPython's begins; no statement of Python's begins like this.
_COMMAND = re.compile(r"(?P<indent>[ \t]*)(?:%(?P<magic>\w*)[ \t]*|!|\?)")
_QUESTION = re.compile(r"(?P<indent>[ \t]*)%{0,2}[A-Za-z_*][\w.*\[\]'\"]*+\?{1,2}[ \t]*$")
_FOR_A_VALUE = re.compile(r"[ \t]*[A-Za-z_][\w.,*\[\]() \t'\"]*+=[ \t]*(?:!|%[A-Za-z])")

# What a line is made of. Possessive, so that no text makes it go back and try again.
_PIECE = re.compile(
    r"""
    \"{3}(?:\\.|(?!\"{3})[^\\])*+\"{3} | '{3}(?:\\.|(?!'{3})[^\\])*+'{3}
    | (?P<quotes>\"{3}|'{3}).*+
    | "(?:\\.|[^"\\])*+"? | '(?:\\.|[^'\\])*+'?
    | \#.*+
    | (?P<opens>[(\[{]) | (?P<closes>[)\]}]) | (?P<goes_on>\\\Z)
    | [^\"'\#\\(\[{)\]}]++ | .
    """,
    re.VERBOSE,
)
_TO_THE_END_OF = {
    quotes: re.compile(rf"(?:\\.|(?!{quotes})[^\\])*+{quotes}") for quotes in ('"""', "'''")
}


def _parse(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


class CellSource(NamedTuple):
    """A cell as Python.

    Attributes:
        python: as many lines as the cell has, so that a traceback's numbers are the cell's.
        left_out: the numbers of the lines that were left out, counted from 1.
    """

    python: str
    left_out: tuple[int, ...] = ()


class CellSourceError(Exception):
    """A line of IPython's that a plugin would count on; `line` is counted from 1 in its cell."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"`{text.strip()[:60]}` needs IPython, which a plugin does not have")
        self.line = line
        self.hint = (
            "Write it in Python, such as with subprocess.run, or tag the cell nebula-skip if it "
            "is no part of the plugin."
        )


def cell_source(text: str, parse: Callable[[str], object] = _parse) -> CellSource:
    """The Python of a cell, be it right or wrong.

    Args:
        text: of the cell.
        parse: tells what is Python, by what `ast.parse` raises where it is none.

    Raises:
        CellSourceError: a block or an assignment in it counts on IPython.
    """
    magic = _CELL_MAGIC.match(text)
    if magic is not None and magic["name"] not in _RUN_A_CELL:
        return CellSource("", tuple(range(1, text.count("\n") + 2)))
    lines = text.split("\n")
    left_out: tuple[int, ...] = ()
    if magic is not None:
        left_out = (magic[0].count("\n") + 1,)
        lines[left_out[0] - 1] = ""
    # What is Python holds nothing else: a text in it may have lines that only look like it.
    if not any(sign in text for sign in "%!?") or _is_python("\n".join(lines), parse):
        return CellSource("\n".join(lines), left_out)
    left_out = (*left_out, *_leave_out(lines))
    return CellSource("\n".join(lines), left_out)


def _is_python(text: str, parse: Callable[[str], object]) -> bool:
    try:
        parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _leave_out(lines: list[str]) -> list[int]:
    """Empty the lines that are IPython's; their numbers."""
    found: list[int] = []
    for number, length in _commands(lines):
        line = lines[number - 1]
        command = _QUESTION.match(line) or _COMMAND.match(line)
        if command is None or command["indent"]:
            raise CellSourceError(number, line)
        rest = line[command.end() :] if command.groupdict().get("magic") in _RUN_A_LINE else ""
        lines[number - 1] = rest
        if not rest:
            lines[number : number + length - 1] = [""] * (length - 1)
        found += range(number, number + (1 if rest else length))
    return found


def _commands(lines: list[str]) -> Iterator[tuple[int, int]]:
    """Each statement of IPython's, by the number of its first line and how many it has.

    It is not looked into: an apostrophe in a shell command begins no text.
    """
    place = _Place()
    number = 0
    while number < len(lines):
        length = 1
        if place.begins and _is_command(lines[number]):
            while lines[number + length - 1].endswith("\\") and number + length < len(lines):
                length += 1
            yield number + 1, length
        else:
            place.read(lines[number])
        number += length


def _is_command(line: str) -> bool:
    return any(way.match(line) for way in (_COMMAND, _QUESTION, _FOR_A_VALUE))


class _Place:
    """Where in a statement of Python's the next line is."""

    def __init__(self) -> None:
        self._depth = 0  # of brackets
        self._quotes = ""  # of a text that goes on
        self._goes_on = False  # after a backslash

    @property
    def begins(self) -> bool:
        """Whether it begins one."""
        return not (self._depth or self._quotes or self._goes_on)

    def read(self, line: str) -> None:
        at = 0
        if self._quotes:
            end = _TO_THE_END_OF[self._quotes].match(line)
            if end is None:
                return
            at, self._quotes = end.end(), ""
        self._goes_on = False
        for piece in _PIECE.finditer(line, at):
            self._quotes = piece["quotes"] or ""
            self._depth = max(0, self._depth + bool(piece["opens"]) - bool(piece["closes"]))
            self._goes_on = piece["goes_on"] is not None
