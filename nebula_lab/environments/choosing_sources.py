"""Chooses packages where some are there as source code only.

uv builds those to see what they depend on. Here it may look at their sources and can't run them;
what it stumbles over is built in a sandbox, and it is asked again with the wheel that came of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from nebula_lab.environments.source_error import SourceError
from nebula_lab.environments.uv_tool import UvError
from nebula_lab.model.lock import LockedPackage

if TYPE_CHECKING:
    from nebula_lab.environments.sources import BuiltWheel

__all__ = ["SourceSettings", "choose_with_sources", "source_only"]

# One environment has some of them at most, and each asks the resolver once or twice.
_MOST_QUESTIONS = 100
# What uv says where a package has no wheel, and where it would run the build of one.
_NO_WHEEL = re.compile(
    r"Wheels are required for `([A-Za-z0-9._-]+)`"
    r"|([A-Za-z0-9][A-Za-z0-9._-]*)(?:[=<>!~]=?\S+)? has no (?:usable )?wheels"
)
_WOULD_BUILD = re.compile(
    r"Failed to (?:download and )?build `([A-Za-z0-9._-]+)==([^`\s]+)`",
)


class SourceSettings:
    """Which packages may be built from source, and who builds them.

    Args:
        may_build: whether the user lets a package be, by its normalised name.
        wheel: builds one, by name and version.
    """

    def __init__(
        self, may_build: Callable[[str], bool], wheel: Callable[[str, str], BuiltWheel]
    ) -> None:
        self._may_build = may_build
        self._wheel = wheel

    def require(self, name: str, said: str = "") -> str:
        """The normalised name of a package that may be built.

        Args:
            name: of the package.
            said: what uv says of it.

        Raises:
            SourceError: the user does not let it be.
        """
        from packaging.utils import canonicalize_name

        normal = canonicalize_name(name)
        if not self._may_build(normal):
            raise SourceError(
                f"it asks for {normal}, which is only there as source code",
                "Building it runs its code, in a sandbox, and you have not allowed that: write "
                f"`python: {{allow_source: [{normal}]}}` into your configuration. Or ask for a "
                "version that has a wheel for this Python, or build the wheel yourself and put its "
                "folder into UV_FIND_LINKS.",
                said,
            )
        return normal

    def build(self, name: str, version: str) -> BuiltWheel:
        """The wheel of a package that may be built; see `SourceWheels.wheel`."""
        return self._wheel(self.require(name), version)


def source_only(error: UvError) -> str | None:
    """The package that uv refused since it has no wheel; None where it refused for another reason.

    Its words are read, as there is nothing else: a test holds them against the uv that is here.
    """
    found = _NO_WHEEL.search(error.said)
    return None if found is None else found[1] or found[2]


def choose_with_sources(
    resolve: Callable[[frozenset[str], tuple[str, ...]], tuple[LockedPackage, ...]],
    settings: SourceSettings,
    refused: UvError,
) -> tuple[LockedPackage, ...]:
    """The packages of an environment of which some are built from source.

    Args:
        resolve: asks uv, which looks at the sources of some packages, and has wheels in folders.
        settings: what may be built.
        refused: what uv said when it had to do with wheels alone.

    Raises:
        SourceError: one may not be built, or can't be.
        UvError: there is no choice all the same.
    """
    looked_at: set[str] = set()
    built: dict[tuple[str, str], BuiltWheel] = {}

    def build(name: str, version: str) -> None:
        wheel = settings.build(name, version)
        built[wheel.name, wheel.version] = wheel
        looked_at.discard(wheel.name)

    error: UvError | None = refused
    for _ in range(_MOST_QUESTIONS):
        if error is not None:
            would_build = _WOULD_BUILD.search(error.said)
            wanted = source_only(error)
            if would_build is not None and would_build.groups() not in built:
                build(would_build[1], would_build[2])
            elif wanted is not None and settings.require(wanted, error.said) not in looked_at:
                looked_at.add(settings.require(wanted))
            else:
                raise error
        links = tuple(str(one.folder) for one in built.values())
        try:
            found = resolve(frozenset(looked_at), links)
        except UvError as said:
            error = said
            continue
        error = None
        left = [one for one in found if one.name in looked_at]
        if not left:
            return tuple(_as_built(one, built.get((one.name, one.version))) for one in found)
        for one in left:  # what its archive says of it was enough to choose it
            build(one.name, one.version)
        looked_at.clear()
    raise UvError("choosing among packages that have no wheel has come to no end")


def _as_built(one: LockedPackage, wheel: BuiltWheel | None) -> LockedPackage:
    return one if wheel is None else wheel.locked
