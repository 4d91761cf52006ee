"""The grammar of version requirements: text in, comparators out, or an error with a position.

    requirement = "*" | comparator *31( "," comparator )
    comparator  = [ "=" | ">" | ">=" | "<" | "<=" | "~" | "^" ] version
    version     = number [ "." number-or-wildcard [ "." number-or-wildcard [ tags ] ] ]
    tags        = [ "-" identifiers ] [ "+" identifiers ]

Spaces may stand around commas and after an operator, and nowhere else; a wildcard is `*`, `x` or
`X`. This is Cargo's grammar, in which a blank does not join comparators and `||` does not exist.
"""

from __future__ import annotations

import re

from nebula_lab.errors import InvalidRequirementError
from nebula_lab.model.comparator import Comparator, Op

MAX_COMPARATORS = 32
# Cargo's numbers are u64; a version that it can't read should not be asked for here either.
MAX_NUMBER = 2**64 - 1

_OPERATOR = re.compile(r">=|<=|[=><~^]")
_DIGITS = re.compile(r"[0-9]+")
_SEGMENT = re.compile(r"[0-9A-Za-z-]*")
_WILDCARDS = ("*", "x", "X")

# What people bring along from other tools, by how the rest of the text starts.
_FOREIGN = {
    "||": "alternatives do not exist here; write a range such as '>=1.0, <3.0'",
    "- ": "a hyphen range does not exist here; write '>=1.0, <2.0'",
    "-": "a pre-release needs all three numbers before it",
    ".": "a version has three numbers",
    "==": "equality is a single '='",
    "~=": "compatible versions are '~' or '^'",
    "~>": "compatible versions are '~' or '^'",
    "!=": "a version can't be left out; write a range",
    "v": "a version has no leading 'v'",
}


def parse_requirement(text: str) -> tuple[Comparator, ...]:
    """The comparators of a requirement; none for `*`, which every release satisfies.

    Raises:
        InvalidRequirementError: with the position of the character that can't stand there.
    """
    return _Reader(text).requirement()


class _Reader:
    """Reads one requirement from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def requirement(self) -> tuple[Comparator, ...]:
        self._skip_spaces()
        if self._at_end():
            raise self._error("a requirement can't be empty; '*' means any version", 0)
        if self._peek_wildcard():
            return self._lone_wildcard()
        comparators = [self._comparator()]
        while (comma := self._next_comma()) is not None:
            if len(comparators) == MAX_COMPARATORS:
                raise self._error(f"more than {MAX_COMPARATORS} comparators", self.position)
            if self._at_end():
                raise self._error("nothing follows this comma", comma)
            comparators.append(self._comparator())
        return tuple(comparators)

    def _lone_wildcard(self) -> tuple[Comparator, ...]:
        start = self.position
        self.position += 1
        self._skip_spaces()
        if self._at(","):
            raise self._error("a wildcard stands alone; leave it out or the others", start)
        if not self._at_end():
            raise self._error("nothing may follow a wildcard", self.position)
        return ()

    def _next_comma(self) -> int | None:
        """Skips a comma and the spaces around it; its position, or None at the end."""
        self._skip_spaces()
        if self._at_end():
            return None
        comma = self.position
        if self.text[comma] != ",":
            hint = self._foreign_hint("a comma joins comparators")
            raise self._error(f"expected a comma, found {self.text[comma]!r}; {hint}")
        self.position += 1
        self._skip_spaces()
        return comma

    def _comparator(self) -> Comparator:
        start = self.position
        if self._peek_wildcard():
            raise self._error("a wildcard stands alone; leave it out or the others")
        op = self._operator()
        has_operator = self.position > start
        major = self._number("a major version")
        minor, minor_open = self._after_dot("a minor version", wildcard_before=False)
        patch, patch_open = self._after_dot("a patch version", wildcard_before=minor_open)
        prerelease = ""
        if patch is not None:
            prerelease = self._identifiers("-", "pre-release")
            self._identifiers("+", "build")
        if (minor_open or patch_open) and not has_operator:
            op = Op.WILDCARD
        return Comparator(op, major, minor, patch, prerelease)

    def _operator(self) -> Op:
        found = _OPERATOR.match(self.text, self.position)
        if found is None:
            return Op.CARET
        self.position = found.end()
        if self.text[self.position : self.position + 1] in ("=", ">", "~"):
            hint = _FOREIGN.get(found.group() + self.text[self.position], "it takes one operator")
            raise self._error(f"unexpected {self.text[self.position]!r}; {hint}")
        self._skip_spaces()
        return Op(found.group())

    def _after_dot(self, what: str, *, wildcard_before: bool) -> tuple[int | None, bool]:
        """The number behind a dot, and whether a wildcard stands there instead."""
        if not self._at("."):
            return None, False
        self.position += 1
        if self._peek_wildcard():
            self.position += 1
            return None, True
        if wildcard_before:
            raise self._error("only another wildcard may follow a wildcard")
        return self._number(what), False

    def _number(self, what: str) -> int:
        found = _DIGITS.match(self.text, self.position)
        if found is None:
            raise self._no_number(what)
        digits = found.group()
        if len(digits) > 1 and digits[0] == "0":
            raise self._error(f"{what} has a leading zero")
        if len(digits) > 20 or int(digits) > MAX_NUMBER:
            raise self._error(f"{what} is greater than {MAX_NUMBER}")
        self.position = found.end()
        return int(digits)

    def _no_number(self, what: str) -> InvalidRequirementError:
        if self._at_end():
            return self._error(f"expected {what}, found the end")
        found = self.text[self.position]
        return self._error(f"expected {what}, found {found!r}{self._foreign_hint('', '; ')}")

    def _identifiers(self, mark: str, what: str) -> str:
        """The identifiers behind a mark, joined by dots; empty where the mark is missing."""
        if not self._at(mark):
            return ""
        start = self.position + 1
        while True:
            self.position += 1
            self._segment(what)
            if not self._at("."):
                return self.text[start : self.position]

    def _segment(self, what: str) -> None:
        found = _SEGMENT.match(self.text, self.position)
        segment = found.group() if found else ""
        if not segment:
            raise self._error(f"expected a {what} identifier")
        if what == "pre-release" and segment.isdigit() and segment[0] == "0" and segment != "0":
            raise self._error(f"a number in a {what} has a leading zero")
        self.position += len(segment)

    def _peek_wildcard(self) -> bool:
        return self.text.startswith(_WILDCARDS, self.position)

    def _skip_spaces(self) -> None:
        while self._at(" "):
            self.position += 1

    def _at(self, prefix: str) -> bool:
        return self.text.startswith(prefix, self.position)

    def _at_end(self) -> bool:
        return self.position == len(self.text)

    def _foreign_hint(self, otherwise: str, lead: str = "") -> str:
        hint = next((hint for mark, hint in _FOREIGN.items() if self._at(mark)), otherwise)
        return lead + hint if hint else ""

    def _error(self, message: str, position: int | None = None) -> InvalidRequirementError:
        where = self.position if position is None else position
        return InvalidRequirementError(
            f"invalid version requirement: {message}", text=self.text, position=where
        )
