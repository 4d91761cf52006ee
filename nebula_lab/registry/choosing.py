"""Which versions will do here, and which of them is taken."""

from __future__ import annotations

from collections.abc import Iterable

from nebula_lab._version import __version__
from nebula_lab.model.release import Release
from nebula_lab.model.version import Version
from nebula_lab.plugin import PLUGIN_API_VERSION

__all__ = ["newest", "works_here"]


def works_here(release: Release) -> bool:
    """Whether a version works with this nebula_lab, as far as it says."""
    ours = Version.parse(__version__)
    low, high = release.min_nebula_version, release.max_nebula_version
    return (
        (low is None or low <= ours)
        and (high is None or ours <= high)
        and release.api_version in (None, PLUGIN_API_VERSION)
    )


def newest(releases: Iterable[Release]) -> Release | None:
    """The newest that was not withdrawn and works here.

    A pre-release is taken only where there is nothing else, and one that does not work here only
    where none does: it is then said of that one why.
    """
    offered = [one for one in releases if one.yanked is None]
    working = [one for one in offered if works_here(one)] or offered
    settled = [one for one in working if one.version.prerelease is None] or working
    return max(settled, key=lambda one: one.version, default=None)
