"""What goes wrong with packages that are built from source."""

from __future__ import annotations

__all__ = ["SourceError"]


class SourceError(Exception):
    """A package can't be built from source.

    Attributes:
        message: what happened.
        said: what the build wrote, which is a stranger's; "" where it was not run.
        hint: what to do.
    """

    def __init__(self, message: str, hint: str, said: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.said = said
        self.hint = hint
