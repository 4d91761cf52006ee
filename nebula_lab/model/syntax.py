"""What the parsers of the document formats share: their error, and how they find lines."""

from __future__ import annotations

from collections.abc import Callable

from nebula_lab.model.complaints import Location

__all__ = ["DocumentSyntaxError", "LineFinder", "too_deep"]

LineFinder = Callable[[Location], int | None]
"""The line of the element at a location, counted from 1."""


class DocumentSyntaxError(Exception):
    """Text that is not a document of its format; `read_document` adds the file.

    Attributes:
        line: counted from 1; None where it is not known.
    """

    def __init__(self, message: str, *, line: int | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.hint = hint


def too_deep() -> DocumentSyntaxError:
    """The error for nesting that exhausts the parser."""
    return DocumentSyntaxError("is nested too deeply to be read", hint="Flatten the document.")
