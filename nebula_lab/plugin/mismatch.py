"""A param that a hint does not take."""

from __future__ import annotations

from nebula_lab.plugin.shorten import short_repr


class Mismatch(Exception):  # noqa: N818 - never leaves this package
    """A value that a hint does not take; the path to it grows while it is on its way up."""

    def __init__(self, expected: str, value: object, words: str = "") -> None:
        super().__init__(expected, value)
        self.expected = expected
        self.path = ""
        self._value = value
        self._words = words

    @property
    def found(self) -> str:
        # Put together only when it is told: a value may fail one option of a union and fit another.
        return self._words or short_repr(self._value)

    def below(self, step: str) -> Mismatch:
        self.path = step + self.path
        return self
