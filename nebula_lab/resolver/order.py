"""Load order and generations of a graph without cycles.

Plugins are known here by their rank: their place when all are sorted by priority and id. The
smaller rank goes first wherever dependencies leave a choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from msgspec import Struct

# The ranks that each rank depends on.
Edges = Sequence[Sequence[int]]


class Schedule(Struct, frozen=True):
    """What could be ordered.

    Attributes:
        order: ranks, dependencies first; what is in a cycle or needs one is not among them.
        depths: for every rank, the length of the longest chain of dependencies below it.
    """

    order: list[int]
    depths: list[int]

    def generations(self) -> list[list[int]]:
        """The ordered ranks by depth, each group sorted."""
        groups: list[list[int]] = [[] for _ in range(1 + max(self.depths, default=-1))]
        for rank in sorted(self.order):
            groups[self.depths[rank]].append(rank)
        return [group for group in groups if group]


def schedule(edges: Edges, ranks: Sequence[int]) -> Schedule:
    """Orders `ranks`, which must be ascending; their edges must stay among them.

    Kahn's algorithm with a heap: the smallest rank that is free comes next.
    """
    waiting_for = [len(targets) for targets in edges]
    dependents: list[list[int]] = [[] for _ in edges]
    for rank in ranks:
        for target in edges[rank]:
            dependents[target].append(rank)
    free = [rank for rank in ranks if not waiting_for[rank]]
    heapify(free)
    depths = [0] * len(edges)
    order: list[int] = []
    while free:
        rank = heappop(free)
        order.append(rank)
        depth = depths[rank] + 1
        for dependent in dependents[rank]:
            if depths[dependent] < depth:
                depths[dependent] = depth
            waiting_for[dependent] -= 1
            if not waiting_for[dependent]:
                heappush(free, dependent)
    return Schedule(order, depths)
