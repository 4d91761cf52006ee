"""What a contradiction rests on, sorted out: who asks for what, and what there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from nebula_lab.errors import InvalidRequirementError
from nebula_lab.model.listing import listed
from nebula_lab.model.release import Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.resolver.choosing.candidates import Candidates, Universe
from nebula_lab.resolver.choosing.nogoods import Asked, Fact, Need, Pinned

__all__ = ["Conflict", "named", "versions_in_words"]

_SHOWN = 5  # versions in a sentence


class Conflict(Struct, frozen=True):
    """The facts of one contradiction.

    Attributes:
        universe: has the plugins that they speak of.
        asked: what is wanted.
        pinned: what the configuration takes alone.
        needs: what versions need, those of the plugin in contention first.
        about: the number of the plugin that it is about where nobody needs anything.
    """

    universe: Universe
    asked: Sequence[Asked]
    pinned: Sequence[Pinned]
    needs: Sequence[Need]
    about: int = 0

    @classmethod
    def of(cls, universe: Universe, facts: Iterable[Fact], about: int = 0) -> Conflict:
        """The facts in an order to tell them in."""
        found = list(facts)
        needs = [one for one in found if isinstance(one, Need)]
        asking: dict[int, set[int]] = {}
        for need in needs:
            asking.setdefault(need.dependency, set()).add(need.dependent)
        fitting = {need.dependency: universe.plugins[need.dependency].every for need in needs}
        for need in needs:
            matching = universe.plugins[need.dependency].matching(need.declared.version_req)
            fitting[need.dependency] &= matching
        crowd = {number: len(dependents) for number, dependents in asking.items()}
        for one in found:
            if isinstance(one, Pinned) or (isinstance(one, Asked) and one.requirement):
                crowd[one.plugin] = crowd.get(one.plugin, 0) + 1
        plugins = universe.plugins
        needs.sort(
            key=lambda need: (
                bool(plugins[need.dependency].releases),  # what is missing comes first
                bool(fitting[need.dependency]),
                -crowd[need.dependency],
                plugins[need.dependency].id,
                plugins[need.dependent].id,
                (need.versions & -need.versions).bit_length(),
            )
        )
        return cls(
            universe,
            sorted({one for one in found if isinstance(one, Asked)}, key=lambda one: one.plugin),
            sorted({one for one in found if isinstance(one, Pinned)}, key=lambda one: one.plugin),
            needs,
            about,
        )

    @property
    def subject(self) -> Candidates:
        """The plugin that no version of fits."""
        numbers = [
            *(need.dependency for need in self.needs[:1]),
            *(pin.plugin for pin in self.pinned),
            *(want.plugin for want in self.asked),
            self.about,
        ]
        return self.universe.plugins[numbers[0]]

    @property
    def had_choice(self) -> bool:
        """Whether there are several versions of any of them, or pins."""
        numbers = {need.dependency for need in self.needs} | {one.dependent for one in self.needs}
        numbers |= {one.plugin for one in self.asked}
        several = any(len(self.universe.plugins[number].releases) > 1 for number in numbers)
        return several or bool(self.pinned)

    def requirements(self, plugin: Candidates) -> list[VersionReq]:
        """What is asked of a plugin, each once."""
        plugins = self.universe.plugins
        found = [
            *(one.requirement for one in self.asked if plugins[one.plugin] is plugin),
            *(one.requirement for one in self.pinned if plugins[one.plugin] is plugin),
            *(one.declared.version_req for one in self.needs if plugins[one.dependency] is plugin),
        ]
        return list(dict.fromkeys(one for one in found if one is not None))

    def common(self, plugin: Candidates) -> VersionReq | None:
        """What would fit all that is asked of a plugin; None where nothing can."""
        asked = [str(one) for one in self.requirements(plugin) if one.comparators]
        try:
            joined = VersionReq.parse(", ".join(asked) or "*")
        except InvalidRequirementError:  # of too many parts
            return None
        return joined if joined.accepts_any_release else None


def named(release: Release) -> str:
    """A release in words, such as `core 1.2.0`."""
    return f"{release.id} {release.version}"


def versions_in_words(plugin: Candidates, versions: int) -> str:
    """A set of versions of a plugin, such as `app 1.0.0 and 1.1.0`."""
    found = [str(one.version) for one in plugin.in_set(versions)]
    if len(found) == len(plugin.releases) > 1:
        return f"{plugin.id} (in each of its {len(found)} versions)"
    if len(found) > _SHOWN:
        return f"{plugin.id} (in {len(found)} of its versions, such as {found[0]})"
    return f"{plugin.id} {listed(found)}"
