"""How far a broken plugin reaches: everything that needs it, with the way that leads to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from nebula_lab.model.problem import Problem
from nebula_lab.resolver.order import Edges
from nebula_lab.resolver.reports import SHOWN_STEPS, shortened


class Exclusion(Struct, frozen=True):
    """The plugins that are left out.

    Attributes:
        via: for each rank that is left out, the rank it needs on a shortest way to a cause; a
            cause stands for itself.
        cause: for each rank that is left out, the rank at the end of that way.
    """

    via: Mapping[int, int]
    cause: Mapping[int, int]

    def chain(
        self, rank: int, ids: Sequence[str], problems: Mapping[int, Sequence[Problem]]
    ) -> tuple[str, ...]:
        """The way from a plugin to the cause, such as ("a", "b", "missing c").

        A long way is cut in the middle; so that a chain of thousands costs no more than a short
        one, its steps are followed only as far as they are shown.
        """
        steps = [ids[rank]]
        while self.via[rank] != rank and len(steps) < SHOWN_STEPS // 2:
            rank = self.via[rank]
            steps.append(ids[rank])
        cause = self.cause[rank]
        if cause != rank:
            steps += ["…"] if self.via[rank] != cause else []
            steps.append(ids[cause])
        return (*steps, *_tail(ids[cause], problems[cause][0]))


def exclude(required: Edges, causes: Sequence[int]) -> Exclusion:
    """What has to be left out because of `causes`: they and all that require them."""
    dependents: list[list[int]] = [[] for _ in required]
    for rank, targets in enumerate(required):
        for target in targets:
            dependents[target].append(rank)
    via = {cause: cause for cause in causes}
    cause = dict(via)
    level = sorted(causes)
    while level:
        following = []
        for rank in level:
            for dependent in dependents[rank]:
                if dependent not in via:
                    via[dependent] = rank
                    cause[dependent] = cause[rank]
                    following.append(dependent)
        level = following
    return Exclusion(via, cause)


def _tail(plugin_id: str, problem: Problem) -> tuple[str, ...]:
    """What comes after the id of a cause: the rest of its chain, or its way round the cycle."""
    chain = problem.chain
    if chain[0] == chain[-1]:
        ring = chain[:-1]
        place = ring.index(plugin_id)
        chain = shortened((*ring[place:], *ring[:place], plugin_id))
    return chain[1:]
