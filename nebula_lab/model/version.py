"""Semantic versions of plugins and of nebula_lab itself (semver.org 2.0.0)."""

from __future__ import annotations

import re
from typing import Any, Self

import semver
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from nebula_lab.errors import InvalidVersionError

__all__ = ["Version"]

# What Cargo's versions hold, so that a version means the same on both sides.
_LARGEST_NUMBER = 2**64 - 1
_LONGEST_TEXT = 256
_SHAPE = "A version is MAJOR.MINOR.PATCH, such as 1.4.0 or 2.0.0-beta.1."
_LOOSE = re.compile(r"[vV=\s]*(?P<core>[0-9]+(?:\.[0-9]+)*)(?P<rest>[-+].*)?")


class Version(semver.Version):
    """A semantic version: immutable, hashable, ordered by precedence.

    As a pydantic field it takes a `Version` or text, and is text in JSON. Build metadata is kept
    by `str()` and ignored by comparison, as semver says.
    """

    __slots__ = ()

    @classmethod
    def parse(cls, version: str | bytes, optional_minor_and_patch: bool = False) -> Self:
        """Read the text of a version.

        Raises:
            InvalidVersionError: it is not one; the hint says which version was probably meant.
        """
        # YAML reads an unquoted 1.0 as a number, so callers do pass what is not text.
        text: object = version.decode(errors="replace") if isinstance(version, bytes) else version
        if not isinstance(text, str):
            raise InvalidVersionError(
                f"{text!r} is not a version but a {type(text).__name__}",
                hint=f'Put the version in quotes, such as "1.4.0". {_SHAPE}',
            )
        if len(text) > _LONGEST_TEXT:
            raise InvalidVersionError(
                f"the version {text[:40]!r}… has {len(text)} characters",
                hint=f"A version has at most {_LONGEST_TEXT} characters.",
            )
        try:
            parsed = super().parse(text, optional_minor_and_patch)
        except ValueError:
            raise InvalidVersionError(
                f"{text!r} is not a semantic version", hint=cls._hint_for(text)
            ) from None
        if max(parsed.major, parsed.minor, parsed.patch) > _LARGEST_NUMBER:
            raise InvalidVersionError(
                f"a number in the version {text!r} is too large",
                hint=f"The largest is {_LARGEST_NUMBER}.",
            )
        return parsed

    @classmethod
    def _hint_for(cls, text: str) -> str:
        """What the author most likely meant, or what a version looks like."""
        match = _LOOSE.fullmatch(text.strip())
        if match is None:
            return _SHAPE
        numbers = [str(int(number)) for number in match["core"].split(".")]
        meant = ".".join([*numbers, "0", "0"][:3]) + (match["rest"] or "")
        return f"Write {meant}. {_SHAPE}" if semver.Version.is_valid(meant) else _SHAPE

    def __repr__(self) -> str:
        return f"Version('{self}')"

    @classmethod
    def _validate(cls, value: Any) -> Self:
        return value if isinstance(value, cls) else cls.parse(value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate, serialization=core_schema.to_string_ser_schema(when_used="json")
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "examples": ["1.4.0"]}
