"""The versions of each plugin that may be chosen, asked for when they are first of interest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from nebula_lab.model.comparator import Op, PrereleaseKey, precedence
from nebula_lab.model.comparator import Release as Numbers
from nebula_lab.model.descriptor import PluginDependency
from nebula_lab.model.release import Origin, Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.version import Version
from nebula_lab.resolver.choosing.clock import PATIENCE, Clock

__all__ = ["Candidates", "Policy", "ReleasesOf", "Universe"]

ReleasesOf = Callable[[str], Iterable[Release]]
_ORIGINS = {origin: place for place, origin in enumerate(Origin)}


class Policy(Struct, frozen=True, kw_only=True):
    """What makes one version preferable to another, or unfit.

    Attributes:
        pins: requirements that somebody has set for a plugin, whoever else asks for it.
        locked: the version of a plugin that is taken before others, if it fits.
        prereleases: whether a pre-release is as good as a release where no requirement is asked.
        nebula_version: what versions have to work with.
        api_version: the plugin API that they have to be written for.
    """

    pins: Mapping[str, VersionReq]
    locked: Mapping[str, Version]
    prereleases: bool
    nebula_version: Version
    api_version: int


class Candidates:
    """The versions of one plugin. A set of them is an integer: bit n stands for the nth.

    Attributes:
        id: the plugin.
        releases: one a version, the one to be preferred first.
        unfit: the versions that can't be chosen whatever is asked for, with the reason for each.
        every: the set of all of them.
        absent: the bit that stands for none of them.
    """

    def __init__(self, plugin_id: str, offered: Iterable[Release], policy: Policy) -> None:
        self.id = plugin_id
        by_version = _one_a_version(offered)
        reasons = [(one, _unfit(one, policy)) for one in by_version]
        self.unfit = tuple((one, why) for one, why in reasons if why)
        fit = [one for one, why in reasons if not why]
        self.releases: Sequence[Release] = sorted(fit, key=_preference(plugin_id, fit, policy))
        self.absent = 1 << len(self.releases)
        self.every = self.absent - 1
        # None stands for a pre-release, which has to be matched the long way.
        self._numbers: list[Numbers | None] = [
            None if one.version.prerelease else precedence(one.version)[0] for one in self.releases
        ]
        self._matching: dict[VersionReq, int] = {}

    @property
    def offered(self) -> list[Release]:
        """All of them, whether they can be chosen or not."""
        return [*self.releases, *(one for one, _ in self.unfit)]

    def withdrawn(self, requirement: VersionReq | None) -> Release | None:
        """The newest that a requirement accepts and that was left out as it was withdrawn."""
        found = [
            one
            for one, _ in self.unfit
            if one.yanked is not None and (requirement is None or requirement.matches(one.version))
        ]
        return max(found, key=lambda one: precedence(one.version), default=None)

    def matching(self, requirement: VersionReq) -> int:
        """Those that a requirement accepts."""
        found = self._matching.get(requirement)
        if found is None:
            found = 0
            for place, numbers in enumerate(self._numbers):
                suits = (
                    requirement.matches(self.releases[place].version)
                    if numbers is None
                    else requirement.matches_release(numbers)
                )
                found |= suits << place
            self._matching[requirement] = found
        return found

    @cached_property
    def needs(self) -> Sequence[tuple[PluginDependency, int]]:
        """What any of them needs of another plugin, with the set of those that say so."""
        found: dict[tuple[str, VersionReq], tuple[PluginDependency, int]] = {}
        for place, release in enumerate(self.releases):
            for entry in release.dependencies:
                if entry.optional or entry.plugin_id == self.id:
                    continue
                key = (entry.plugin_id, entry.version_req)
                first, versions = found.get(key, (entry, 0))
                found[key] = (first, versions | 1 << place)
        return list(found.values())

    @cached_property
    def prereleases(self) -> int:
        """Those that are pre-releases."""
        return sum(1 << n for n, one in enumerate(self.releases) if one.version.prerelease)

    def in_set(self, chosen: int) -> list[Release]:
        """The versions in a set."""
        return [one for place, one in enumerate(self.releases) if chosen >> place & 1]


class Universe:
    """All plugins that have been met so far, numbered in the order in which they were.

    Args:
        releases_of: the releases of a plugin; asked once for each id, when it is first met.
        policy: which of them are fit, and in what order.
        clock: how long choosing among them may take.

    Attributes:
        policy: as it was given.
        clock: as it was given.
        plugins: by number.
    """

    def __init__(self, releases_of: ReleasesOf, policy: Policy, clock: Clock | None = None) -> None:
        self.policy = policy
        self.clock = clock or Clock(PATIENCE)
        self.plugins: list[Candidates] = []
        self._releases_of = releases_of
        self._numbers: dict[str, int] = {}

    def number(self, plugin_id: str) -> int:
        """The number of a plugin, which is met now if it has not been."""
        number = self._numbers.get(plugin_id)
        if number is None:
            self.clock.check()
            with self.clock.asking():
                offered = self._releases_of(plugin_id)
            self.plugins.append(Candidates(plugin_id, offered, self.policy))
            number = self._numbers[plugin_id] = len(self.plugins) - 1
        return number

    def find(self, plugin_id: str) -> Candidates | None:
        """What is known of a plugin, if it has been met."""
        number = self._numbers.get(plugin_id)
        return None if number is None else self.plugins[number]

    def naming(self, release: Release) -> Universe:
        """The same with a pin to one version, which may be a withdrawn one; nobody is asked again
        for what has been met."""
        exactly = VersionReq.parse(f"={release.version}")
        policy = replace(self.policy, pins={**self.policy.pins, release.id: exactly})

        def releases_of(plugin_id: str) -> Iterable[Release]:
            met = self.find(plugin_id)
            return self._releases_of(plugin_id) if met is None else met.offered

        return Universe(releases_of, policy, self.clock)

    def __contains__(self, plugin_id: object) -> bool:
        return plugin_id in self._numbers


def _one_a_version(offered: Iterable[Release]) -> list[Release]:
    """Of each version the release whose origin comes first."""
    found: dict[str, Release] = {}
    for one in sorted(offered, key=lambda one: (_ORIGINS[one.origin], one.place)):
        # Texts, because versions that differ in their build metadata alone compare equal.
        found.setdefault(str(one.version), one)
    return list(found.values())


def _preference(
    plugin_id: str, releases: Iterable[Release], policy: Policy
) -> Callable[[Release], int]:
    """A key that puts the locked version first, releases before pre-releases, newest first."""

    def age(one: Release) -> tuple[Numbers, PrereleaseKey, str]:
        return *precedence(one.version), str(one.version)

    locked = str(policy.locked.get(plugin_id, ""))
    ordered = sorted(releases, key=age, reverse=True)
    if not policy.prereleases:
        ordered.sort(key=lambda one: bool(one.version.prerelease))
    ordered.sort(key=lambda one: str(one.version) != locked)
    place = {str(one.version): number for number, one in enumerate(ordered)}
    return lambda one: place[str(one.version)]


def _unfit(release: Release, policy: Policy) -> str:
    """Why a release can't be chosen; "" if it can."""
    low, high = release.min_nebula_version, release.max_nebula_version
    ours = precedence(policy.nebula_version)
    if low is not None and ours < precedence(low):
        return f"needs nebula_lab >={low}, and this is {policy.nebula_version}"
    if high is not None and ours > precedence(high):
        return f"needs nebula_lab <={high}, and this is {policy.nebula_version}"
    if release.api_version not in (None, policy.api_version):
        return f"is written for version {release.api_version} of the plugin API"
    if release.yanked is not None and not _is_named(release, policy):
        return "was withdrawn" + (f": {release.yanked}" if release.yanked else "")
    return ""


def _is_named(release: Release, policy: Policy) -> bool:
    """Whether a lock or an exact pin names this very version."""
    if str(policy.locked.get(release.id, "")) == str(release.version):
        return True
    pin = policy.pins.get(release.id)
    if pin is None or not pin.matches(release.version):
        return False
    return any(one.op is Op.EXACT and one.is_full for one in pin.comparators)
