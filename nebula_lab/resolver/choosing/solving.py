"""From wants to a choice: which nogoods there are, and in what order things are decided.

Each want is either had or left out, and that is decided first, those that were named first before
others. Then versions are decided, the preferred one of each plugin first: plugins ahead of what
they depend on, so that the newest version of a plugin counts more than that of its dependencies.
What comes out is the best choice by that order, not only a good one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

from msgspec import Struct

from nebula_lab.model.descriptor import PluginDependency
from nebula_lab.model.release import Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.resolver.choosing.candidates import Universe
from nebula_lab.resolver.choosing.nogoods import (
    Asked,
    Circle,
    Fact,
    Need,
    Nogood,
    Pinned,
    Unasked,
)
from nebula_lab.resolver.choosing.search import Search
from nebula_lab.resolver.choosing.wants import Want
from nebula_lab.resolver.cycles import cyclic_components, shortest_cycle
from nebula_lab.resolver.order import schedule

__all__ = ["Solver", "Waiver", "circle_in"]


class Waiver(Struct, frozen=True):
    """What is not insisted on, to see whether there would be a choice then.

    Attributes:
        needs: pairs of a dependent and a dependency, by id.
        pins: of these plugins.
    """

    needs: Collection[tuple[str, str]] = ()
    pins: Collection[str] = ()


class Solver:
    """One search for a choice.

    Args:
        universe: what there is.
        wants: what is wanted, the most important first.
        waiver: what is not insisted on.
        acyclic: whether to refuse versions that need each other in a circle.

    Attributes:
        search: what it knows.
        asked: by the number of a plugin, what is wanted of it.
    """

    def __init__(
        self,
        universe: Universe,
        wants: Sequence[Want],
        waiver: Waiver | None = None,
        *,
        acyclic: bool = False,
    ) -> None:
        self._acyclic = acyclic
        self.universe = universe
        self.search = Search(universe.clock)
        self._waiver = waiver or Waiver()
        self.asked = {universe.number(want.id): want for want in wants}
        self._wanted = list(self.asked)
        self._order = _dependents_first(universe, self._wanted)
        # By the number of decisions that stand: how many of the wants, and of those in order,
        # need not be looked at any more.
        self._passed: list[tuple[int, int]] = [(0, 0)]
        self._noted: set[tuple[int, str, VersionReq]] = set()
        self._loaded: list[int] = []
        self._asked_for: list[int] = []  # by plugin, the versions that some requirement accepts

    def solve(self) -> Mapping[str, Release]:
        """The chosen releases by id; what is wanted and left out is not among them.

        Raises:
            ContradictionError: what is required can't be had together.
            OutOfTimeError: it could not be said in time.
        """
        self._begin()
        while True:
            self.universe.clock.check()
            self.search.conclude()
            if self._load() or self._decide_presence() or self._decide_version():
                continue
            chosen = self._chosen()
            circle = circle_in(chosen) if self._acyclic else ()
            if not circle:
                return chosen
            self._note_circle(circle)

    def left_out(self) -> Iterator[int]:
        """The numbers of the plugins that are wanted and were not chosen."""
        for number in self.asked:
            if self.search.domains[number] == self.universe.plugins[number].absent:
                yield number

    # What there is to know

    def _begin(self) -> None:
        self._meet_all()
        for number, want in self.asked.items():
            self._note_want(number, want)
        for number in self.asked:
            self._load_known(number)
        for number, want in self.asked.items():
            if want.requirement is None:
                self._note_unasked(number)

    def _note_want(self, number: int, want: Want) -> None:
        plugin = self.universe.plugins[number]
        fits = plugin.every if want.requirement is None else plugin.matching(want.requirement)
        unfit = plugin.every & ~fits | (plugin.absent if want.required else 0)
        self._note({number: unfit}, Asked(number, want.requirement, want.by))

    def _note_unasked(self, number: int) -> None:
        """Rule out the pre-releases that nobody asks for, where there is something else."""
        plugin, policy = self.universe.plugins[number], self.universe.policy
        unasked = plugin.prereleases & ~self._asked_for[number]
        if plugin.id in policy.pins:
            unasked &= ~plugin.matching(policy.pins[plugin.id])
        if not policy.prereleases and plugin.prereleases != plugin.every:
            self._note({number: unasked}, Unasked(number))

    def _meet_all(self) -> None:
        """Let the search know of new plugins, and of pins for them."""
        first = len(self.search.domains)
        self.search.meet(self.universe.plugins)
        for number in range(first, len(self.universe.plugins)):
            plugin = self.universe.plugins[number]
            self._loaded.append(plugin.absent)
            self._asked_for.append(0)
            if number not in self.asked:
                self._order.append(number)
            pin = self.universe.policy.pins.get(plugin.id)
            if pin is not None and plugin.id not in self._waiver.pins:
                unfit = plugin.every & ~plugin.matching(pin)
                self._note({number: unfit}, Pinned(number, pin))

    def _note(self, terms: Mapping[int, int], fact: Fact) -> None:
        """Heed a fact, unless it rules nothing out; terms that always hold say nothing."""
        plugins = self.universe.plugins
        saying = {
            number: members
            for number, members in terms.items()
            if members != plugins[number].every | plugins[number].absent
        }
        if all(saying.values()):
            self.search.add(Nogood(saying, fact))

    def _load(self) -> bool:
        """Note what those need that have come down to one version; whether there are any."""
        loaded = False
        settled, self.search.settled = self.search.settled, []
        for number in settled:
            domain = self.search.domains[number]
            if _is_settled(domain) and domain & ~self._loaded[number]:
                self._loaded[number] |= domain
                for entry, versions in self.universe.plugins[number].needs:
                    if domain & versions:
                        self._note_need(number, entry, versions)
                loaded = True
        return loaded

    def _load_known(self, number: int) -> None:
        """Note what any version needs of plugins that have been met anyway.

        The more is known of what can't be, the less has to be tried.
        """
        plugin = self.universe.plugins[number]
        for entry, versions in plugin.needs:
            # Of a single version the needs are known whatever is decided, so that what is
            # missing is seen at once.
            if entry.plugin_id in self.universe or versions == plugin.every:
                self._note_need(number, entry, versions)

    def _note_need(self, number: int, entry: PluginDependency, versions: int) -> None:
        key = (number, entry.plugin_id, entry.version_req)
        waived = (self.universe.plugins[number].id, entry.plugin_id) in self._waiver.needs
        if key in self._noted or waived:
            return
        self._noted.add(key)
        dependency = self.universe.number(entry.plugin_id)
        self._meet_all()
        needed = self.universe.plugins[dependency]
        # There may be as many needs as a registry likes, each held against all versions.
        self.universe.clock.step(1 + len(needed.releases) // 16)
        matching = needed.matching(entry.version_req)
        self._asked_for[dependency] |= matching
        terms = {number: versions, dependency: (needed.every | needed.absent) & ~matching}
        self._note(terms, Need(number, versions, dependency, entry))

    def _note_circle(self, circle: Sequence[str]) -> None:
        """Rule out that the versions which need each other so are chosen together."""
        terms = {}
        for plugin_id, needed in pairwise((*circle, circle[0])):
            number = self.universe.number(plugin_id)
            needs = self.universe.plugins[number].needs
            domain = self.search.domains[number]
            terms[number] = next(
                versions
                for entry, versions in needs
                if entry.plugin_id == needed and versions & domain
            )
        self._note(terms, Circle(tuple(terms)))

    # What there is to decide

    def _decide_presence(self) -> bool:
        """Try to have the next want; whether there was one to decide."""
        domains, plugins = self.search.domains, self.universe.plugins
        del self._passed[self.search.level + 1 :]
        first, passed = self._passed[-1]
        for place in range(first, len(self._wanted)):
            number = self._wanted[place]
            domain, absent = domains[number], plugins[number].absent
            if domain & absent and domain != absent:
                self.search.decide(number, domain & ~absent)
                self._passed.append((place + 1, passed))
                return True
        return False

    def _decide_version(self) -> bool:
        """Try the preferred version of the next plugin; whether there was one to decide."""
        domains, plugins, order = self.search.domains, self.universe.plugins, self._order
        passed = self._passed[-1][1]
        while passed < len(order) and _is_settled(domains[order[passed]]):
            passed += 1
        for place in range(passed, len(order)):
            number = order[place]
            domain = domains[number]
            if not _is_settled(domain) and not domain & plugins[number].absent:
                self.search.decide(number, domain & -domain)
                self._passed.append((len(self._wanted), passed))
                return True
        return False

    def _chosen(self) -> Mapping[str, Release]:
        chosen = {}
        for number, plugin in enumerate(self.universe.plugins[: len(self.search.domains)]):
            domain = self.search.domains[number]
            if not domain & plugin.absent:
                chosen[plugin.id] = plugin.releases[domain.bit_length() - 1]
        return dict(sorted(chosen.items()))


def circle_in(chosen: Mapping[str, Release]) -> Sequence[str]:
    """The ids along a shortest circle of required dependencies; none where there is none."""
    ids = list(chosen)
    place = {plugin_id: number for number, plugin_id in enumerate(ids)}
    edges = [
        [
            place[entry.plugin_id]
            for entry in chosen[plugin_id].dependencies
            if not entry.optional and entry.plugin_id in place and entry.plugin_id != plugin_id
        ]
        for plugin_id in ids
    ]
    ordered = schedule(edges, range(len(ids))).order
    if len(ordered) == len(ids):
        return ()
    rest = sorted(set(range(len(ids))).difference(ordered))
    component = cyclic_components(rest, edges)[0]
    return [ids[number] for number in shortest_cycle(component, edges)]


def _is_settled(domain: int) -> bool:
    """Whether a domain has one member only."""
    return not domain & (domain - 1)


def _dependents_first(universe: Universe, numbers: Sequence[int]) -> list[int]:
    """The plugins, each ahead of those that its preferred version needs; cycles come last."""
    plugins = [universe.plugins[number] for number in numbers]
    place = {plugin.id: n for n, plugin in enumerate(plugins)}
    dependents: list[list[int]] = [[] for _ in plugins]
    for n, plugin in enumerate(plugins):
        for release in plugin.releases[:1]:
            for entry in release.dependencies:
                if entry.plugin_id in place and not entry.optional:
                    dependents[place[entry.plugin_id]].append(n)
    order = schedule(dependents, range(len(plugins))).order
    rest = set(range(len(plugins))).difference(order)
    return [numbers[n] for n in (*order, *sorted(rest))]
