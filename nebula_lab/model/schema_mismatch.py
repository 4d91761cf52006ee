"""What a check returns when a value does not fit."""

from __future__ import annotations

from collections.abc import Callable

from nebula_lab.plugin.shorten import short_repr


class Mismatch:
    """A value that does not fit; `path` grows from the element up to the whole value.

    Args:
        expected: what the schema asks for, in a few words.
        value: what is there instead.
        words: what to call it, where its repr would not say it.
    """

    __slots__ = ("_value", "_words", "expected", "path")

    def __init__(self, expected: str, value: object, words: str = "") -> None:
        self.expected = expected
        self.path = ""
        self._value = value
        self._words = words

    @property
    def found(self) -> str:
        """The value in at most 80 characters; put together only for a mismatch that is told."""
        return self._words or short_repr(self._value)

    def below(self, step: str) -> Mismatch:
        self.path = step + self.path
        return self


Check = Callable[[object], Mismatch | None]
