"""What is wanted of a choice, and what comes of one."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from nebula_lab.errors import NoVersionFitsError
from nebula_lab.model.release import Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.version import Version

__all__ = ["Choice", "Want"]


class Want(Struct, frozen=True):
    """A plugin that is to be among the chosen.

    Attributes:
        id: the plugin.
        requirement: which versions will do; None for any, but a pre-release only if there is
            nothing else, or if the requirement of another asks for it.
        by: who wants it, for explanations.
        required: whether there is no choice without it; else it is left out where it can't be had
            beside those that were named before it.
    """

    id: str
    requirement: VersionReq | None = None
    by: str = "you"
    required: bool = True


class Choice(Struct, frozen=True):
    """One version of each plugin that is wanted or needed.

    Attributes:
        releases: by id, sorted.
        left_out: those that are wanted and can't be had, with the reason for each.
        departures: the locked versions that were not taken, by id, of plugins that were chosen.
    """

    releases: Mapping[str, Release]
    left_out: Mapping[str, NoVersionFitsError] = field(default_factory=dict)
    departures: Mapping[str, Version] = field(default_factory=dict)
