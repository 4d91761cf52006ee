"""What a form of table offers."""

from __future__ import annotations

import abc
from typing import Any

from nebula_lab.wire.carrying import NotCarriedError
from nebula_lab.wire.parcel import Attachment, Content

Name = str | int | float | bool | None
_NAMES = (str, int, float, bool, type(None))


class Form(abc.ABC):
    """A type of table: whether a value is one, and its way into a stream and out of it."""

    @abc.abstractmethod
    def is_for(self, value: Any) -> bool:
        """Whether this is the form of a value; imports nothing."""

    @abc.abstractmethod
    def pack(self, value: Any) -> tuple[Name, Attachment]:
        """A value's name and stream.

        Raises:
            NotCarriedError: the value is not carried.
            Exception: whatever the package says when it can't.
        """

    @abc.abstractmethod
    def unpack(self, name: Name, content: Content, *, is_trusted: bool) -> Any:
        """The value again.

        Raises:
            Exception: whatever the package says of a stream that is none.
        """


def checked_name(name: Any) -> Name:
    """The name of a series, if it is one that is carried.

    Raises:
        NotCarriedError: it is not.
    """
    if type(name) not in _NAMES:
        raise NotCarriedError(f"a series whose name is a {type(name).__qualname__}")
    carried: Name = name
    return carried


def package_of(value: Any) -> str:
    """The top package that a value's type is from."""
    return type(value).__module__.partition(".")[0]
