"""One comparator of a version requirement, such as `>=1.2` in `>=1.2, <2`.

The meaning of each operator is that of Cargo, as its `semver` crate documents it. A comparator
is convex on releases, so that a requirement comes down to one range of them; pre-releases are
not so simple (see `Comparator.accepts_prerelease`) and are rare, so they take a second path.
"""

from __future__ import annotations

from enum import Enum
from math import inf

import semver
from msgspec import Struct

# Major, minor and patch. Only an upper bound may be infinite.
Release = tuple[float, int, int]
# One element an identifier: numbers before words, numbers by length and then by digit (which is
# by value, for they have no leading zeros), words by their characters.
PrereleaseKey = tuple[tuple[int, int, str], ...]

LOWEST: Release = (0, 0, 0)
UNBOUNDED: Release = (inf, 0, 0)
# A release comes after each of its pre-releases.
RELEASED: PrereleaseKey = ((2, 0, ""),)


class Op(Enum):
    """The operators; no operator means `CARET`, and `1.*` means `WILDCARD`."""

    EXACT = "="
    GREATER = ">"
    GREATER_EQ = ">="
    LESS = "<"
    LESS_EQ = "<="
    TILDE = "~"
    CARET = "^"
    WILDCARD = "*"


def prerelease_key(prerelease: str | None) -> PrereleaseKey:
    """A key that sorts pre-releases of one release as semver.org, section 11, says."""
    if not prerelease:
        return RELEASED
    return tuple(
        (0, len(part), part) if part.isdigit() else (1, 0, part) for part in prerelease.split(".")
    )


def precedence(version: semver.Version) -> tuple[Release, PrereleaseKey]:
    """A key that sorts versions by precedence; build metadata does not count."""
    release = (version.major, version.minor, version.patch)
    return release, prerelease_key(version.prerelease)


class Comparator(Struct, frozen=True):
    """An operator and a version, of which minor and patch may be left open."""

    op: Op
    major: int
    minor: int | None = None
    patch: int | None = None
    prerelease: str = ""

    def __str__(self) -> str:
        numbers = [str(n) for n in self._given()]
        if self.op is Op.WILDCARD:
            return ".".join([*numbers, "*"])
        tag = f"-{self.prerelease}" if self.prerelease else ""
        return f"{self.op.value}{'.'.join(numbers)}{tag}"

    @property
    def floor(self) -> Release:
        """The lowest release that the written version covers."""
        return (self.major, self.minor or 0, self.patch or 0)

    @property
    def is_full(self) -> bool:
        """Whether nothing of the version is left open."""
        return self.patch is not None

    def release_range(self) -> tuple[Release, Release]:
        """The releases that it accepts: from the first, up to but not including the second."""
        floor, above = self.floor, self._above()
        if self.prerelease:
            # No release equals a pre-release; the one it leads to is above it.
            above = floor
        match self.op:
            case Op.EXACT | Op.WILDCARD:
                return floor, above
            case Op.GREATER:
                return above, UNBOUNDED
            case Op.GREATER_EQ:
                return floor, UNBOUNDED
            case Op.LESS:
                return LOWEST, floor
            case Op.LESS_EQ:
                return LOWEST, above
            case Op.TILDE | Op.CARET:
                return floor, self._compatible_ceiling()

    def accepts_prerelease(self, release: Release, key: PrereleaseKey) -> bool:
        """Whether it accepts a version that has a pre-release tag, taken by itself.

        A requirement accepts one only if, besides, one of its comparators names the same release
        with a tag of its own; that is what keeps `>=1.0.0` from letting `2.0.0-alpha` in.
        """
        given = self._given()
        head = release[: len(given)]
        own_key = prerelease_key(self.prerelease)
        above = head > given or (head == given and self.is_full and key > own_key)
        below = head < given or (head == given and self.is_full and key < own_key)
        equal = head == given and key == own_key
        match self.op:
            case Op.EXACT | Op.WILDCARD:
                return equal
            case Op.GREATER:
                return above
            case Op.GREATER_EQ:
                return above or equal
            case Op.LESS:
                return below
            case Op.LESS_EQ:
                return below or equal
            case Op.TILDE | Op.CARET:
                return self._accepts_compatible_prerelease(release, key >= own_key)

    def expanded(self) -> str:
        """The same set of versions, written with `=`, `>`, `>=`, `<` and `<=` alone."""
        if self.op not in (Op.TILDE, Op.CARET, Op.WILDCARD):
            return str(self)
        low = _dotted(self.floor) + (f"-{self.prerelease}" if self.prerelease else "")
        high = self._above() if self.op is Op.WILDCARD else self._compatible_ceiling()
        return f">={low}, <{_dotted(high)}"

    def _given(self) -> tuple[int, ...]:
        return tuple(n for n in (self.major, self.minor, self.patch) if n is not None)

    def _above(self) -> Release:
        """The lowest release above all that the written version covers."""
        if self.minor is None:
            return (self.major + 1, 0, 0)
        if self.patch is None:
            return (self.major, self.minor + 1, 0)
        return (self.major, self.minor, self.patch + 1)

    def _compatible_ceiling(self) -> Release:
        """The lowest release that is no longer compatible, for `~` and `^`."""
        if self.minor is None or (self.op is Op.CARET and self.major > 0):
            return (self.major + 1, 0, 0)
        if self.op is Op.TILDE or self.minor > 0 or self.patch is None:
            return (self.major, self.minor + 1, 0)
        return (0, 0, self.patch + 1)

    def _accepts_compatible_prerelease(self, release: Release, tag_suffices: bool) -> bool:
        if not self.floor <= release < self._compatible_ceiling():
            return False
        if not self.is_full:
            return self.op is Op.CARET
        return release > self.floor or tag_suffices


def _dotted(release: Release) -> str:
    return ".".join(str(number) for number in release)
