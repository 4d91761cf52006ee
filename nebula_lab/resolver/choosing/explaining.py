"""Why there is no choice, in sentences, and what would make one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from nebula_lab.errors import NoVersionFitsError, nearest_names
from nebula_lab.model.listing import listed
from nebula_lab.model.release import Release
from nebula_lab.resolver.choosing.candidates import Candidates
from nebula_lab.resolver.choosing.clock import OutOfTimeError
from nebula_lab.resolver.choosing.conflict import Conflict, named, versions_in_words
from nebula_lab.resolver.choosing.nogoods import Need, Nogood, facts_of
from nebula_lab.resolver.choosing.search import ContradictionError
from nebula_lab.resolver.choosing.solving import Solver, Waiver
from nebula_lab.resolver.choosing.wants import Want

__all__ = ["Explainer"]

_SHOWN = 8  # versions of a plugin, and needs
_TRIED = 12  # changes that are tried for whether they would help


class Explainer:
    """Writes errors about what a solver has found.

    Args:
        solver: it has come to an end.
    """

    def __init__(self, solver: Solver) -> None:
        self._solver = solver
        self._universe = solver.universe

    def contradiction(self, nogood: Nogood) -> NoVersionFitsError:
        """The error for what is required and can't be had together."""
        conflict = Conflict.of(self._universe, facts_of([nogood]))
        subject = conflict.subject
        return self._error(conflict, subject, _headline(subject), self._wants(conflict))

    def left_out(self) -> Mapping[str, NoVersionFitsError]:
        """The error for each plugin that is wanted and was not chosen."""
        found = {}
        for number in self._solver.left_out():
            plugin = self._universe.plugins[number]
            found[plugin.id] = self._leaving_out(number, plugin)
        return found

    def _leaving_out(self, number: int, plugin: Candidates) -> NoVersionFitsError:
        reason = Nogood({})
        if plugin.releases:
            reason = self._solver.search.reason(number, plugin.absent)
        beside = [other for other in reason.terms if other != number]
        wanted = [self._solver.asked[one] for one in (number, *beside) if one in self._solver.asked]
        conflict = Conflict.of(self._universe, facts_of([reason]), number)
        others = {*beside, *(one.plugin for one in conflict.asked)} - {number}
        wanted += [self._solver.asked[one] for one in sorted(others.difference(beside))]
        ids = sorted(self._universe.plugins[other].id for other in others)
        message = (
            f"is left out, as no version of it goes together with {listed(ids)}"
            if ids
            else "is left out, as no version of it can be had"
        )
        return self._error(conflict, plugin, message, [_required(want) for want in wanted])

    def _wants(self, conflict: Conflict) -> list[Want]:
        return [_required(self._solver.asked[one.plugin]) for one in conflict.asked]

    def _error(
        self, conflict: Conflict, subject: Candidates, message: str, wants: list[Want]
    ) -> NoVersionFitsError:
        contended = conflict.subject if conflict.needs or conflict.pinned else subject
        asked = [f"{contended.id} {one}" for one in conflict.requirements(contended)]
        own = [one for one in conflict.needs if self._universe.plugins[one.dependent] is subject]
        place = next((need.declared.declared_in for need in (*own, *conflict.needs)), None)
        return NoVersionFitsError(
            subject.id,
            message,
            existing=_known(contended),
            requested=listed(asked) or subject.id,
            reasons=[*self._reasons(conflict, wants), *_inventory(conflict, subject)],
            cures=list(dict.fromkeys(self._cures(conflict, wants))),
            had_choice=conflict.had_choice,
            path=place.path if place else None,
            line=place.line if place else None,
        )

    # Who asks for what

    def _reasons(self, conflict: Conflict, wants: Iterable[Want]) -> Iterator[str]:
        for need in conflict.needs[:_SHOWN]:
            yield self._need_in_words(need)
        if len(conflict.needs) > _SHOWN:
            yield f"… and {len(conflict.needs) - _SHOWN} more such needs."
        for pin in conflict.pinned:
            yield f"{self._universe.plugins[pin.plugin].id} is pinned to {pin.requirement}."
        for want in wants:
            exactly = f" {want.requirement}" if want.requirement is not None else ""
            yield f"{want.id}{exactly} is wanted by {want.by}."

    def _need_in_words(self, need: Need) -> str:
        dependent = self._universe.plugins[need.dependent]
        dependency = self._universe.plugins[need.dependency]
        entry = need.declared
        fitting = dependency.in_set(dependency.matching(entry.version_req))
        would_do = (
            f"{fitting[0].version} would do" if fitting else "no version that is here will do"
        )
        where = f" ({entry.declared_in})" if entry.declared_in else ""
        who = versions_in_words(dependent, need.versions)
        wanted = f"{entry.plugin_id} {entry.version_req}"
        return f"{who} needs {wanted}, for which {would_do}{where}."

    # What to change

    def _cures(self, conflict: Conflict, wants: list[Want]) -> Iterator[str]:
        subject = conflict.subject
        if not subject.releases and not subject.unfit:
            yield self._missing(subject)
        common = conflict.common(subject)
        if common is not None and subject.releases and not subject.matching(common):
            yield f"A version of {subject.id} that is {common.expanded()} would do."
        withdrawn = subject.withdrawn(common)
        if withdrawn is not None and self._solved(wants, naming=withdrawn) is not None:
            exactly = f"{withdrawn.id}@{withdrawn.version}"
            yield (
                f"{named(withdrawn)} would do, although it was withdrawn: name it, by a pin to "
                f"={withdrawn.version} or by installing {exactly}."
            )
        for need in conflict.needs[:_TRIED]:
            yield from self._widening(need, wants)
        for pin in conflict.pinned:
            plugin_id = self._universe.plugins[pin.plugin].id
            if self._solved(wants, Waiver(pins=[plugin_id])) is not None:
                yield f"Without the pin of {plugin_id} to {pin.requirement} there is a choice."
        if len(wants) > 1:
            yield f"Or go without {' or '.join(want.id for want in wants)}."

    def _missing(self, plugin: Candidates) -> str:
        known = [one.id for one in self._universe.plugins if one.releases]
        near = nearest_names(plugin.id, sorted(known)) if len(known) < 2000 else []
        if near:
            return f"There is no {plugin.id}; did you mean {' or '.join(near)}?"
        return f"There is no {plugin.id}: add it, or make the dependency optional."

    def _widening(self, need: Need, wants: list[Want]) -> Iterator[str]:
        dependent = self._universe.plugins[need.dependent]
        dependency = self._universe.plugins[need.dependency]
        chosen = self._solved(wants, Waiver(needs=[(dependent.id, dependency.id)]))
        if chosen is None or dependent.id not in chosen or dependency.id not in chosen:
            return
        yield (
            f"If {named(chosen[dependent.id])} could do with {named(chosen[dependency.id])}, there "
            f"would be a choice: widen its requirement {need.declared.version_req}."
        )

    def _solved(
        self, wants: list[Want], waiver: Waiver | None = None, naming: Release | None = None
    ) -> Mapping[str, Release] | None:
        universe = self._universe if naming is None else self._universe.naming(naming)
        try:
            return Solver(universe, wants, waiver or Waiver()).solve()
        except (ContradictionError, OutOfTimeError):
            return None


def _required(want: Want) -> Want:
    return Want(want.id, want.requirement, want.by)


def _headline(subject: Candidates) -> str:
    if not subject.releases:
        return "is needed, and no version of it can be had"
    return "no version of it fits all that is asked of it"


def _known(plugin: Candidates) -> str:
    return listed([named(one) for one in plugin.releases[:_SHOWN]]) or f"no {plugin.id}"


def _inventory(conflict: Conflict, subject: Candidates) -> Iterator[str]:
    """Which versions there are of what is in contention."""
    for plugin in dict.fromkeys([conflict.subject if conflict.needs else subject, subject]):
        versions = [str(one.version) for one in plugin.releases]
        if versions:
            more = f" and {len(versions) - _SHOWN} more" if len(versions) > _SHOWN else ""
            yield f"Of {plugin.id} there is {', '.join(versions[:_SHOWN])}{more}."
        for release, why in plugin.unfit[:_SHOWN]:
            yield f"{named(release)} {why.removesuffix('.')}."
