"""The search for a choice: decide, draw conclusions, and learn from each contradiction.

It is the search of PubGrub (Natalie Weizenbaum, "PubGrub: Next-Generation Version Solving", 2018),
which is that of a modern SAT solver, over sets of versions. A domain is the set of what a plugin
may still be: one of its versions, or absent. A nogood is a combination of sets that can't be. Each
contradiction is traced back to the decisions that it follows from; the nogood that comes of it
rules out all that fails for the same reason, so that no reason is found twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from nebula_lab.resolver.choosing.candidates import Candidates
from nebula_lab.resolver.choosing.clock import Clock
from nebula_lab.resolver.choosing.nogoods import Nogood

__all__ = ["ContradictionError", "Search"]

# Decisions; SAT solvers go back one at a time too where it would be many. With 2,000 plugins it
# takes a sixth of the time.
_FAR = 10


class ContradictionError(Exception):
    """There is nothing left that could be decided otherwise.

    Attributes:
        nogood: has no terms; what it follows from is the reason.
    """

    def __init__(self, nogood: Nogood) -> None:
        super().__init__("no choice is left")
        self.nogood = nogood


class _Step(Struct, frozen=True, gc=False):
    """One domain became smaller.

    Attributes:
        plugin: whose.
        before: the domain before that.
        level: how many decisions stood then.
        reason: what it follows from; None for a decision.
    """

    plugin: int
    before: int
    level: int
    reason: Nogood | None


class _Watch(Struct, eq=False, gc=False):
    """A nogood and two of its terms.

    As long as neither of the two holds, nothing follows from the nogood, so that it need not be
    looked at: the way in which SAT solvers pass over nearly all that they know at each step.
    """

    nogood: Nogood
    first: int
    second: int


class Search:
    """Domains, nogoods, and the steps that led to where the search is.

    Args:
        clock: is asked at each step.

    Attributes:
        contradictions: how many there have been.
        contended: by the number of a plugin, how many of these were about it.
        domains: by the number of the plugin.
        settled: plugins whose domain has come down to one member; for the owner to empty.
    """

    def __init__(self, clock: Clock) -> None:
        self.contradictions = 0
        self.contended: Counter[int] = Counter()
        self._clock = clock
        self.domains: list[int] = []
        self.settled: list[int] = []
        self._steps: list[_Step] = []
        self._starts: list[int] = []  # of each decision, the place of its step
        self._history: list[list[int]] = []  # by plugin, the places of its steps
        # By plugin, and by how many members its term has, those that watch it.
        self._watches: list[dict[int, list[_Watch]]] = []
        self._late: list[tuple[int, Nogood]] = []  # with the number of decisions that stood
        self._fresh: list[Nogood] = []  # to be examined
        self._changed: list[int] = []  # plugins whose watches are to be looked at

    def meet(self, plugins: Sequence[Candidates]) -> None:
        """Know all of these plugins; those that are new may be anything yet."""
        for one in plugins[len(self.domains) :]:
            self.domains.append(one.every | one.absent)
            self._history.append([])
            self._watches.append({})

    @property
    def level(self) -> int:
        """How many decisions stand."""
        return len(self._starts)

    def decide(self, plugin: int, domain: int) -> None:
        """Try what comes of a smaller domain."""
        self._starts.append(len(self._steps))
        self._narrow(plugin, domain, None)

    def add(self, nogood: Nogood) -> None:
        """Heed a nogood from now on."""
        self._watch(nogood)
        self._fresh.append(nogood)
        if self.level:
            self._late.append((self.level, nogood))

    def conclude(self) -> None:
        """Draw every conclusion, and learn from contradictions until there is none.

        Raises:
            ContradictionError: nothing is left.
            OutOfTimeError: there is no time left.
        """
        while (failed := self._contradiction()) is not None:
            self.contradictions += 1
            self.contended.update(failed.terms.keys())
            learned = self._traced(failed)
            if not learned.terms:
                raise ContradictionError(learned)
            self._return_to(self._level_to_return_to(learned))
            if learned is not failed:
                self._watch(learned)
            self._fresh.append(learned)

    def reason(self, plugin: int, domain: int) -> Nogood:
        """What it follows from that the domain of a plugin lies within `domain`."""
        return self._traced(Nogood({plugin: domain}), to_decisions=True)

    # Conclusions

    def _contradiction(self) -> Nogood | None:
        """Draw conclusions until there are no more, or until all terms of a nogood hold."""
        failed = None
        while failed is None and (self._fresh or self._changed):
            self._clock.step()
            if self._fresh:
                nogood = self._fresh.pop()
                failed = nogood if self._examine(nogood) else None
            else:
                failed = self._look_at_watches(self._changed.pop())
        self._changed.clear()
        return failed

    def _watch(self, nogood: Nogood) -> None:
        """Watch two terms: those which are open, or which going back makes open first."""

        def when(plugin: int) -> int:
            members = nogood.terms[plugin]
            holds = not self.domains[plugin] & ~members
            return self._place(plugin, members) if holds else len(self._steps)

        if nogood.terms:
            ordered = list(nogood.terms)
            if len(ordered) > 2:
                ordered.sort(key=when, reverse=True)
            watch = _Watch(nogood, ordered[0], ordered[min(1, len(ordered) - 1)])
            for plugin in {watch.first, watch.second}:
                self._watch_term(watch, plugin)

    def _watch_term(self, watch: _Watch, plugin: int) -> None:
        size = watch.nogood.terms[plugin].bit_count()
        self._watches[plugin].setdefault(size, []).append(watch)

    def _look_at_watches(self, plugin: int) -> Nogood | None:
        """Conclude from what watches a plugin whose domain has changed."""
        domain = self.domains[plugin]  # nothing follows for a plugin whose own term holds
        left = domain.bit_count()
        for size, watches in list(self._watches[plugin].items()):
            if size < left:  # a smaller set has no place for the domain
                continue
            self._watches[plugin][size] = kept = []
            for number, watch in enumerate(watches):
                nogood = watch.nogood
                if domain & ~nogood.terms[plugin]:
                    kept.append(watch)
                    continue
                if self._moved(watch, plugin):
                    continue
                kept.append(watch)
                if self._examine(nogood):
                    kept += watches[number + 1 :]
                    return nogood
        return None

    def _moved(self, watch: _Watch, plugin: int) -> bool:
        """Have another term watched in place of one that holds, if another is open."""
        terms = watch.nogood.terms
        if len(terms) < 3:
            return False
        other = watch.second if watch.first == plugin else watch.first
        for candidate, members in terms.items():
            if candidate not in (plugin, other) and self.domains[candidate] & ~members:
                watch.first, watch.second = candidate, other
                self._watch_term(watch, candidate)
                return True
        return False

    def _examine(self, nogood: Nogood) -> bool:
        """Conclude from a nogood of which one term is open; whether none is."""
        domains = self.domains
        opened = -1
        for plugin, members in nogood.terms.items():
            domain = domains[plugin]
            if not domain & ~members:
                continue
            if opened >= 0 or not domain & members:
                return False
            opened = plugin
        if opened < 0:
            return True
        self._narrow(opened, domains[opened] & ~nogood.terms[opened], nogood)
        return False

    def _narrow(self, plugin: int, domain: int, reason: Nogood | None) -> None:
        self._history[plugin].append(len(self._steps))
        self._steps.append(_Step(plugin, self.domains[plugin], self.level, reason))
        self.domains[plugin] = domain
        self._changed.append(plugin)
        if not domain & (domain - 1):
            self.settled.append(plugin)

    # Contradictions

    def _traced(self, nogood: Nogood, *, to_decisions: bool = False) -> Nogood:
        """What all terms of a nogood follow from.

        It is traced back until going back a decision would leave one term open, or else, with
        `to_decisions`, until only decisions are left.
        """
        terms, parents = dict(nogood.terms), [nogood]
        places = {plugin: self._place(plugin, members) for plugin, members in terms.items()}
        while (place := self._next_to_trace(places, to_decisions)) is not None:
            step = self._steps[place]
            reason = step.reason
            assert reason is not None, "a decision is where tracing ends"
            parents.append(reason)
            self._resolve(terms, step.plugin, reason)
            for plugin in reason.terms:
                if plugin in terms:
                    places[plugin] = self._place(plugin, terms[plugin])
                else:
                    places.pop(plugin, None)
        if len(parents) == 1:
            return nogood
        return Nogood(terms, parents=tuple({id(one): one for one in parents}.values()))

    def _next_to_trace(self, places: dict[int, int], to_decisions: bool) -> int | None:
        """The place of the last step that has to be replaced by its reason."""
        ordered = sorted(places.values(), reverse=True)
        if to_decisions:
            return next((n for n in ordered if self._steps[n].reason is not None), None)
        if not ordered:
            return None
        last = self._steps[ordered[0]]
        before = self._steps[ordered[1]].level if len(ordered) > 1 else 0
        return ordered[0] if last.level == before else None

    def _resolve(self, terms: dict[int, int], plugin: int, reason: Nogood) -> None:
        """Put what a term follows from in its place."""
        either = terms[plugin] | reason.terms[plugin]
        for other, members in reason.terms.items():
            terms[other] = terms.get(other, members) & members
        terms[plugin] = either
        if either == self._anything(plugin):
            del terms[plugin]

    def _anything(self, plugin: int) -> int:
        """The domain of a plugin of which nothing is known."""
        history = self._history[plugin]
        return self._steps[history[0]].before if history else self.domains[plugin]

    def _place(self, plugin: int, members: int) -> int:
        """Where the domain of a plugin came to lie within a set."""
        found = -1
        domain = self.domains[plugin]
        for place in reversed(self._history[plugin]):
            if domain & ~members:
                break
            found, domain = place, self._steps[place].before
        assert found >= 0, "all terms hold"
        return found

    def _level_to_return_to(self, nogood: Nogood) -> int:
        """How many decisions to keep, so that all terms of a nogood hold but one."""
        places = [self._place(plugin, members) for plugin, members in nogood.terms.items()]
        levels = sorted(self._steps[place].level for place in places)
        enough = levels[-2] if len(levels) > 1 else 0
        # Most of so many decisions would be taken again, one by one.
        return enough if levels[-1] - enough <= _FAR else levels[-1] - 1

    def _return_to(self, level: int) -> None:
        """Take back all decisions but the first so many, and what follows from them."""
        start = self._starts[level]
        for step in reversed(self._steps[start:]):
            self.domains[step.plugin] = step.before
            self._history[step.plugin].pop()
        del self._steps[start:], self._starts[level:]
        # What followed from nogoods that came since is taken back too, and follows again.
        again = [nogood for noted, nogood in self._late if noted > level]
        self._late = [(noted, nogood) for noted, nogood in self._late if noted <= level]
        if level:
            self._late += [(level, nogood) for nogood in again]
        self._fresh += again
