"""Errors of the protocol itself. They say whose fault it was."""

from __future__ import annotations

from nebula_lab.plugin.safe_text import line

_TEXT_LIMIT = 2_000  # characters


class ProtocolError(Exception):
    """The two sides do not understand each other; the connection is of no more use."""

    def __str__(self) -> str:
        return line(super().__str__(), _TEXT_LIMIT)  # parts of it may be the other side's


class LocalProtocolError(ProtocolError):
    """Our side tried to do what the protocol does not allow now."""


class RemoteProtocolError(ProtocolError):
    """The other side sent what makes no sense: garbage, too much, or out of turn."""


class ValueNotSupportedError(TypeError):
    """A value that the protocol does not carry.

    Attributes:
        element: path to it, such as `params.rows[3].when`.
        found: what is there, such as `timedelta`.
    """

    def __init__(self, element: str, found: str) -> None:
        super().__init__(line(f"{element}: {found}", _TEXT_LIMIT))
        self.element = element
        self.found = found


class LibraryMissingError(ValueNotSupportedError):
    """A value of a type whose package is not installed where it arrived.

    Attributes:
        package: its name.
    """

    def __init__(self, element: str, package: str) -> None:
        package = package.partition(".")[0] or "a package"
        super().__init__(
            element, f"a value that needs {package}, which is not installed where it arrived"
        )
        self.package = package
