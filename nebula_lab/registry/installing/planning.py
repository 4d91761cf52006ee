"""Which versions are to be installed for what somebody wants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from nebula_lab.errors import InstallError
from nebula_lab.model.descriptor import PluginDependency, PluginDescriptor
from nebula_lab.model.release import Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.registry.choosing import works_here
from nebula_lab.registry.installing.record import Installed
from nebula_lab.registry.installing.wanted import Wanted

__all__ = ["Present", "plan"]

_MOST_ROUNDS = 200
_SHOWN = 8
_YOU = "you"


class Present(Struct, frozen=True):
    """A plugin that is in the folder.

    Attributes:
        descriptor: what it says of itself.
        record: what is remembered of how it came there; None for one of somebody's own.
    """

    descriptor: PluginDescriptor
    record: Installed | None


class _Asked(Struct, frozen=True):
    """What somebody asks of the version of a plugin."""

    requirement: VersionReq
    by: str


def plan(
    wanted: Sequence[Wanted],
    present: Mapping[str, Present],
    releases_of: Callable[[str], Sequence[Release]],
) -> list[Release]:
    """The releases to install, sorted by id; those that are there already are among them.

    What is wanted comes in its newest version that suits all. What that needs stays as it is if
    it suits. Optional dependencies are nobody's reason to install anything.

    Args:
        wanted: what somebody asks for.
        present: what is in the folder.
        releases_of: what the registries have of a plugin.

    Raises:
        InstallError: there is nothing that suits all; says who asks for what.
    """
    planner = _Planner(wanted, present, releases_of)
    for _ in range(_MOST_ROUNDS):
        if not planner.improve():
            return planner.result()
    raise InstallError(
        f"no versions were found that suit each other, in {_MOST_ROUNDS} rounds",
        hint="Ask for a version of each plugin that is to be installed.",
    )


class _Planner:
    def __init__(
        self,
        wanted: Sequence[Wanted],
        present: Mapping[str, Present],
        releases_of: Callable[[str], Sequence[Release]],
    ) -> None:
        self._wanted = wanted
        self._present = present
        self._releases_of = releases_of
        self._chosen: dict[str, Release] = {}

    def result(self) -> list[Release]:
        return [self._chosen[plugin_id] for plugin_id in sorted(self._chosen)]

    def improve(self) -> bool:
        """Choose once by what is asked for now; whether that has changed what is asked for."""
        asked = self._asked()
        names = {one.id for one in self._wanted}
        chosen = {
            plugin_id: self._best(plugin_id, asked[plugin_id])
            for plugin_id in asked
            if plugin_id in names or not self._may_stay(plugin_id, asked[plugin_id])
        }
        before, self._chosen = self._chosen, chosen
        return chosen != before

    def _asked(self) -> dict[str, list[_Asked]]:
        """What is asked of each plugin that matters, by those that are wanted or chosen."""
        asked: dict[str, list[_Asked]] = {}
        for want in self._wanted:
            asked.setdefault(want.id, []).append(_Asked(want.requirement, _YOU))
        for release in self._chosen.values():
            _add(asked, release.dependencies, f"{release.id} {release.version}")
        # What stays has a say in what comes beside it, but brings nothing in itself.
        for plugin_id, here in self._present.items():
            if plugin_id not in self._chosen:
                said = f"{plugin_id} {here.descriptor.version}, which is here,"
                _add(asked, here.descriptor.dependencies, said, only=set(asked))
        return asked

    def _may_stay(self, plugin_id: str, asked: Iterable[_Asked]) -> bool:
        here = self._present.get(plugin_id)
        if here is None:
            return False
        return all(one.requirement.matches(here.descriptor.version) for one in asked)

    def _best(self, plugin_id: str, asked: Sequence[_Asked]) -> Release:
        here = self._present.get(plugin_id)
        if here is not None and here.record is None:
            raise self._own(plugin_id, here, asked)
        releases = self._releases_of(plugin_id)
        suitable = [one for one in releases if _suits(one, asked)]
        if not suitable:
            raise _nothing_suits(plugin_id, releases, asked)
        return max(suitable, key=lambda one: one.version)

    def _own(self, plugin_id: str, here: Present, asked: Sequence[_Asked]) -> InstallError:
        return InstallError(
            f"version {here.descriptor.version} of it is here, and was not installed from a "
            f"registry; {_in_words(asked)}",
            plugin_id=plugin_id,
            path=here.descriptor.path,
            hint="It is left as it is. Move it away first if it is to be replaced.",
        )


def _add(
    asked: dict[str, list[_Asked]],
    dependencies: Iterable[PluginDependency],
    by: str,
    only: set[str] | None = None,
) -> None:
    for one in dependencies:
        if not one.optional and (only is None or one.plugin_id in only):
            asked.setdefault(one.plugin_id, []).append(_Asked(one.version_req, by))


def _suits(release: Release, asked: Iterable[_Asked]) -> bool:
    exact = f"={release.version}"
    if release.yanked is not None and not any(str(one.requirement) == exact for one in asked):
        return False
    return works_here(release) and all(one.requirement.matches(release.version) for one in asked)


def _nothing_suits(
    plugin_id: str, releases: Sequence[Release], asked: Sequence[_Asked]
) -> InstallError:
    if not releases:
        return InstallError(
            f"no registry has a plugin of this name; {_in_words(asked)}",
            plugin_id=plugin_id,
            hint="Look for it: %plugin search, or nebula-lab search.",
        )
    listed = ", ".join(f"{one.version}{_flaw(one)}" for one in releases[:_SHOWN])
    more = f" and {len(releases) - _SHOWN} more" if len(releases) > _SHOWN else ""
    return InstallError(
        f"no version of it suits: {_in_words(asked)}; there are {listed}{more}",
        plugin_id=plugin_id,
        path=releases[0].place,
        hint="Ask for another version, or update or remove what stands against it.",
    )


def _flaw(release: Release) -> str:
    if release.yanked is not None:
        return f" (withdrawn: {release.yanked})" if release.yanked else " (withdrawn)"
    return "" if works_here(release) else " (not for this nebula_lab)"


def _in_words(asked: Iterable[_Asked]) -> str:
    return ", ".join(
        f"{one.by} {'want' if one.by == _YOU else 'needs'} {one.requirement}" for one in asked
    )
