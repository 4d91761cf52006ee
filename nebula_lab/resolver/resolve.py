"""From descriptors to a resolution. A pure function: the same plugins give the same answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.problem import Problem
from nebula_lab.resolver.cycles import cyclic_components, open_optional_cycles, shortest_cycle
from nebula_lab.resolver.exclusion import Exclusion, exclude
from nebula_lab.resolver.inspection import Host, Inspection, inspect
from nebula_lab.resolver.order import Edges, Schedule, schedule
from nebula_lab.resolver.reports import shortened
from nebula_lab.resolver.resolution import Resolution


def resolve(plugins: Mapping[str, PluginDescriptor], host: Host) -> Resolution:
    """Decides what can be loaded, in what order, and says why the rest can't."""
    inspection = inspect(plugins, host)
    ranks = range(len(inspection.ids))
    if not inspection.problems:
        edges = _edges(inspection.required, inspection.optional)
        plan = schedule(edges, ranks)
        if len(plan.order) == len(ranks):
            return _resolution(inspection, edges, plan, inspection.optional, [], {})
    return _resolve_with_problems(inspection)


def _resolve_with_problems(inspection: Inspection) -> Resolution:
    """The same, where something is missing or a cycle has been met."""
    ranks = range(len(inspection.ids))
    causes = dict(inspection.problems)
    problems = [problem for rank in sorted(causes) for problem in causes[rank]]
    for cycle, problem in _cycle_problems(inspection):
        problems.append(problem)
        for rank in cycle:
            causes[rank] = [*causes.get(rank, ()), problem]
    exclusion = exclude(inspection.required, sorted(causes))
    knock_on = _knock_on_problems(inspection, exclusion, causes)
    excluded = {inspection.ids[rank]: own[0] for rank, own in causes.items()}
    excluded |= {problem.plugin_id: problem for problem in knock_on if problem.plugin_id}

    live = [rank for rank in ranks if rank not in exclusion.via]
    optional = _usable_options(inspection, exclusion, live)
    required = _only(live, inspection.required)
    _open_cycles(inspection, live, required, optional)
    edges = _edges(required, optional)
    plan = schedule(edges, live)
    return _resolution(inspection, edges, plan, optional, [*problems, *knock_on], excluded)


def _cycle_problems(inspection: Inspection) -> Iterable[tuple[list[int], Problem]]:
    """For each component, a shortest cycle in it and the problem that this is."""
    required = inspection.required
    ranks = range(len(required))
    ordered = set(schedule(required, ranks).order)
    unordered = [rank for rank in ranks if rank not in ordered]
    for component in cyclic_components(unordered, required):
        cycle = shortest_cycle(component, required)
        path = [inspection.ids[rank] for rank in cycle]
        yield cycle, inspection.reporter.cycle(path, len(component))


def _knock_on_problems(
    inspection: Inspection, exclusion: Exclusion, causes: Mapping[int, Sequence[Problem]]
) -> list[Problem]:
    """One problem for each plugin that is well by itself but needs one that is left out."""
    ids = inspection.ids
    return [
        inspection.reporter.broken_dependency(
            ids[rank], ids[exclusion.via[rank]], exclusion.chain(rank, ids, causes)
        )
        for rank in sorted(exclusion.via)
        if rank not in causes
    ]


def _usable_options(
    inspection: Inspection, exclusion: Exclusion, live: Sequence[int]
) -> dict[int, list[int]]:
    """The optional edges between plugins that are not left out; a note for each other one."""
    usable: dict[int, list[int]] = {}
    for rank in live:
        for target in inspection.optional.get(rank, ()):
            if target in exclusion.via:
                _note_left_out(inspection, rank, target, "which is left out itself")
            else:
                usable.setdefault(rank, []).append(target)
    return usable


def _open_cycles(
    inspection: Inspection,
    live: Sequence[int],
    required: Edges,
    optional: dict[int, list[int]],
) -> None:
    """Takes those edges out of `optional` that close a cycle; a note for each."""
    ordered = set(schedule(_edges(required, optional), live).order)
    unordered = [rank for rank in live if rank not in ordered]
    for opened in open_optional_cycles(unordered, required, optional):
        optional[opened.dependent].remove(opened.dependency)
        path = [inspection.ids[rank] for rank in (*opened.path, opened.path[0])]
        reason = f"since it closes the cycle {' → '.join(shortened(path))}"
        _note_left_out(inspection, opened.dependent, opened.dependency, reason)


def _note_left_out(inspection: Inspection, rank: int, target: int, reason: str) -> None:
    plugin = inspection.ranked[rank]
    entry = inspection.reporter.find(plugin.id, inspection.ids[target], optional=True)
    note = inspection.reporter.optional(plugin, entry, reason)
    inspection.notes.setdefault(rank, []).append(note)


def _edges(required: Edges, optional: Mapping[int, Sequence[int]]) -> Edges:
    if not optional:
        return required
    return [
        [*targets, *optional[rank]] if rank in optional else targets
        for rank, targets in enumerate(required)
    ]


def _only(live: Sequence[int], edges: Edges) -> Edges:
    """The edges of `live` ranks; what they need is alive too, or they would not be."""
    kept: list[Sequence[int]] = [() for _ in edges]
    for rank in live:
        kept[rank] = edges[rank]
    return kept


def _resolution(
    inspection: Inspection,
    edges: Edges,
    plan: Schedule,
    optional: Mapping[int, Sequence[int]],
    problems: Sequence[Problem],
    excluded: Mapping[str, Problem],
) -> Resolution:
    ids = inspection.ids
    return Resolution(
        load_order=tuple([ids[rank] for rank in plan.order]),
        generations=tuple([tuple([ids[r] for r in group]) for group in plan.generations()]),
        problems=tuple(problems),
        notes=tuple(
            note
            for rank in sorted(inspection.notes)
            if ids[rank] not in excluded
            for note in inspection.notes[rank]
        ),
        excluded=excluded,
        dependencies={ids[rank]: _names(ids, edges[rank]) for rank in plan.order},
        optional=frozenset((ids[a], ids[b]) for a, targets in optional.items() for b in targets),
    )


def _names(ids: Sequence[str], ranks: Sequence[int]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([ids[rank] for rank in ranks]))
