"""Version requirements: which versions of a dependency will do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import semver
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from nebula_lab.model.comparator import (
    LOWEST,
    UNBOUNDED,
    Comparator,
    Release,
    prerelease_key,
)
from nebula_lab.model.requirement_grammar import parse_requirement
from nebula_lab.model.version import Version

__all__ = ["VersionReq"]


class VersionReq:
    """A requirement such as `^1.2`, `>=1.0, <2.0`, `~0.3.1`, `1.*` or `*`, as Cargo reads it.

    Immutable. Two requirements are equal when their texts are, spaces around them aside. It is
    compiled when it is parsed: matching a release costs two comparisons of tuples.

    Raises:
        InvalidRequirementError: if the text is not a requirement; carries the position of the
            offending character.
    """

    __slots__ = ("_high", "_low", "_tagged", "_text", "comparators")

    comparators: tuple[Comparator, ...]
    _text: str
    _low: Release
    _high: Release
    _tagged: frozenset[Release]

    def __init__(self, text: str) -> None:
        comparators = parse_requirement(text)
        ranges = [comparator.release_range() for comparator in comparators]
        put = object.__setattr__
        put(self, "_text", text.strip(" "))
        put(self, "comparators", comparators)
        put(self, "_low", max((low for low, _ in ranges), default=LOWEST))
        put(self, "_high", min((high for _, high in ranges), default=UNBOUNDED))
        put(self, "_tagged", frozenset(c.floor for c in comparators if c.prerelease))

    @classmethod
    def parse(cls, text: str) -> VersionReq:
        """The requirement that the text says; raises `InvalidRequirementError`."""
        return cls(text)

    def matches(self, version: semver.Version | str) -> bool:
        """Whether the version will do.

        Build metadata does not count. A pre-release will do only if one of the comparators names
        the same major.minor.patch with a pre-release of its own.

        Raises:
            InvalidVersionError: if the version is text that is not a semantic version.
        """
        if isinstance(version, str):
            version = Version.parse(version)
        release = (version.major, version.minor, version.patch)
        if version.prerelease:
            return self._matches_prerelease(release, version.prerelease)
        return self.matches_release(release)

    def matches_release(self, release: Release) -> bool:
        """The same for a version without pre-release, given as (major, minor, patch)."""
        return self._low <= release < self._high

    @property
    def accepts_any_release(self) -> bool:
        """Whether there can be a release that it accepts."""
        return self._low < self._high

    def expanded(self) -> str:
        """The requirement in `=`, `>`, `>=`, `<` and `<=` alone, for people to read."""
        return ", ".join(comparator.expanded() for comparator in self.comparators) or "*"

    def _matches_prerelease(self, release: Release, prerelease: str) -> bool:
        if release not in self._tagged:
            return False
        key = prerelease_key(prerelease)
        return all(comparator.accepts_prerelease(release, key) for comparator in self.comparators)

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"VersionReq({self._text!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VersionReq):
            return NotImplemented
        return self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a VersionReq can't be changed: {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a VersionReq can't be changed: {name}")

    def __reduce__(self) -> tuple[Callable[[str], VersionReq], tuple[str]]:
        return VersionReq, (self._text,)

    @classmethod
    def _validate(cls, value: object) -> VersionReq:
        if isinstance(value, VersionReq):
            return value
        if isinstance(value, str):
            return cls(value)
        raise ValueError(
            f'a version requirement is text such as ">=1.0, <2.0", not {type(value).__name__}'
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.to_string_ser_schema(when_used="json"),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "examples": ["^1.2", ">=1.0, <2.0"]}
