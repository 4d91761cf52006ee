"""Cycles: finding them, showing a short one, and opening those that an optional edge closes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from nebula_lab.resolver.order import Edges

# Edges to look at in one component before the shortest path found so far is good enough. It is
# a fifth of a second or so; only a component of thousands without short cycles gets there.
SEARCH_BUDGET = 2_000_000


def cyclic_components(ranks: Iterable[int], edges: Edges) -> list[list[int]]:
    """The strongly connected components that hold a cycle, each sorted, by their first rank."""
    import networkx as nx  # a tenth of a second, which only a cycle costs

    inside = set(ranks)
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_edges_from((a, b) for a in sorted(inside) for b in edges[a] if b in inside)
    components = (
        sorted(component)
        for component in nx.strongly_connected_components(graph)
        if len(component) > 1 or any(rank in edges[rank] for rank in component)
    )
    return sorted(components)


def shortest_cycle(component: Sequence[int], edges: Edges) -> list[int]:
    """The ranks along one shortest closed path; the first is not repeated at the end.

    A breadth-first search from each rank in turn. A rank that has been searched from is taken
    out, with all that is then on no cycle any more, for the shortest path through it is known.
    """
    remaining = _Remaining(component, edges)
    best: list[int] = []
    looked_at = 0
    for start in component:
        if start not in remaining.targets:
            continue
        path, cost = _closed_path(start, remaining.targets, len(best))
        best = path or best
        looked_at += cost
        if len(best) == 1 or (best and looked_at > SEARCH_BUDGET):
            break
        remaining.take_out(start)
    return best


class _Remaining:
    """The part of a component that may still hold a cycle."""

    def __init__(self, component: Sequence[int], edges: Edges) -> None:
        inside = set(component)
        self.targets = {rank: sorted(inside.intersection(edges[rank])) for rank in component}
        self._sources: dict[int, list[int]] = {rank: [] for rank in component}
        for rank, targets in self.targets.items():
            for target in targets:
                self._sources[target].append(rank)
        self._fan_out = {rank: len(targets) for rank, targets in self.targets.items()}
        self._fan_in = {rank: len(sources) for rank, sources in self._sources.items()}

    def take_out(self, rank: int) -> None:
        """Removes a rank and then, again and again, what leads nowhere or comes from nowhere."""
        pending = [rank]
        while pending:
            gone = pending.pop()
            targets = self.targets.pop(gone, None)
            if targets is None:
                continue
            pending += self._lower(self._fan_in, targets)
            pending += self._lower(self._fan_out, self._sources[gone])

    def _lower(self, fan: dict[int, int], ranks: list[int]) -> Iterator[int]:
        for rank in ranks:
            fan[rank] -= 1
            if not fan[rank]:
                yield rank


def _closed_path(
    start: int, targets: Mapping[int, list[int]], shorter_than: int
) -> tuple[list[int], int]:
    """A shortest path from `start` back to it, or none; and how many edges were looked at.

    Only a path of fewer than `shorter_than` edges counts, unless that is 0. Targets that are no
    keys of the mapping do not exist.
    """
    came_from: dict[int, int] = {start: start}
    level = [start]
    length, looked_at = 1, 0
    while level and (not shorter_than or length < shorter_than):
        following = []
        for rank in level:
            looked_at += len(targets[rank])
            for target in targets[rank]:
                if target == start:
                    return _walk_back(rank, came_from), looked_at
                if target not in came_from and target in targets:
                    came_from[target] = rank
                    following.append(target)
        level = following
        length += 1
    return [], looked_at


def _walk_back(rank: int, came_from: Mapping[int, int]) -> list[int]:
    path = [rank]
    while came_from[rank] != rank:
        rank = came_from[rank]
        path.append(rank)
    return path[::-1]


class OpenedCycle(Struct, frozen=True):
    """An optional edge that was dropped, and the cycle that it closed (first rank not repeated)."""

    dependent: int
    dependency: int
    path: tuple[int, ...]


def open_optional_cycles(
    ranks: Collection[int], required: Edges, optional: Mapping[int, Sequence[int]]
) -> list[OpenedCycle]:
    """The optional edges to drop so that no cycle is left among `ranks`.

    The required edges alone must have no cycle. Of each cycle that is met, the edge of the first
    rank that has an optional one goes, so that the more important plugin is loaded sooner. Every
    dropped edge closes a cycle of edges that were there when it went; that makes a small set, not
    the smallest, which is NP-hard to find.
    """
    walk = _Walk(set(ranks), required, optional)
    for start in sorted(ranks, reverse=True):
        walk.from_rank(start)
    return walk.opened


class _Walk:
    """A depth-first walk that drops an optional edge whenever it comes full circle."""

    def __init__(
        self, inside: set[int], required: Edges, optional: Mapping[int, Sequence[int]]
    ) -> None:
        self.opened: list[OpenedCycle] = []
        self._inside = inside
        self._required = required
        self._optional = {rank: set(targets) for rank, targets in optional.items()}
        self._finished: set[int] = set()
        self._path: list[int] = []
        self._pending: list[list[int]] = []
        self._place: dict[int, int] = {}

    def from_rank(self, start: int) -> None:
        if start in self._finished:
            return
        self._enter(start)
        while self._path:
            if not self._pending[-1]:
                self._finished.add(self._leave())
                continue
            target = self._pending[-1].pop()
            if target in self._place:
                self._open_cycle(target)
            elif target not in self._finished:
                self._enter(target)

    def _enter(self, rank: int) -> None:
        self._place[rank] = len(self._path)
        self._path.append(rank)
        targets = self._inside.intersection(self._required[rank])
        targets |= self._inside & self._optional.get(rank, set())
        self._pending.append(sorted(targets))

    def _leave(self) -> int:
        self._pending.pop()
        rank = self._path.pop()
        del self._place[rank]
        return rank

    def _open_cycle(self, target: int) -> None:
        """Drops the optional edge of the first rank that has one, and goes back to that rank."""
        cycle = self._path[self._place[target] :]
        edges = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
        dependent, dependency = min(
            edge for edge in edges if edge[1] not in self._required[edge[0]]
        )
        place = cycle.index(dependent)
        self._optional[dependent].discard(dependency)
        self.opened.append(OpenedCycle(dependent, dependency, tuple(cycle[place:] + cycle[:place])))
        while self._path[-1] != dependent:
            self._leave()
