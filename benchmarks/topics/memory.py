"""Memory for each further plugin, when many are live, against plain kernels."""

from __future__ import annotations

from benchmarks import ours
from benchmarks.contender import Contender
from benchmarks.payload import MEGABYTE
from benchmarks.peers import kernels
from benchmarks.result import Figure, Plan, Result, Row, Table, Topic
from benchmarks.spread import of_rounds, ratio

PLUGIN, KERNEL = "**plugin**", "fresh ipykernel"
LIVE, COUNTED = 50, 10  # the last so many are measured


def contenders(plan: Plan) -> list[Contender]:
    live, counted = _sizes(plan)
    return [
        Contender(PLUGIN, ours.further_memory, (live - counted, live)),
        Contender(KERNEL, kernels.further_memory, (live - counted,)),
    ]


def _sizes(plan: Plan) -> tuple[int, int]:
    return plan.amount(LIVE, 3), plan.amount(COUNTED)


def run(plan: Plan) -> Result:
    live, counted = _sizes(plan)
    samples = plan.take_turns(contenders(plan), counted, uncounted=0)
    rows = tuple(
        Row(
            name,
            (
                Figure(of_rounds(rounds).times(1 / MEGABYTE), "MB"),
                Figure(ratio(rounds, samples[KERNEL]), "×"),
            ),
        )
        for name, rounds in samples.items()
    )
    title = f"PSS of each further one, from {live - counted} live to {live}"
    table = Table(title, ("PSS", "× fresh ipykernel"), rows)
    return Result((table,), {"memory.further": ratio(samples[PLUGIN], samples[KERNEL])})


TOPIC = Topic("memory", "Memory: each further plugin", contenders, run)
