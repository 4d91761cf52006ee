"""From nothing to the first result, against a fresh kernel to its first reply."""

from __future__ import annotations

from benchmarks import ours
from benchmarks.contender import Contender
from benchmarks.peers import kernels
from benchmarks.result import Plan, Result, Topic, timing_table
from benchmarks.spread import ratio

NEW, BARE = "`start_new_kernel`, first reply", "ipykernel not waited for, first reply"
COLD, SPARE = "**plugin, no spare**", "**plugin, a spare**"
ANEW = "plugin, without a zygote"
ROUNDS = 12


def contenders(plan: Plan) -> list[Contender]:
    return [
        Contender(NEW, kernels.fresh, ("new",)),
        Contender(BARE, kernels.fresh, ("bare",)),
        Contender(ANEW, ours.load, (0, False)),
        Contender(COLD, ours.load, (0,)),
        Contender(SPARE, ours.load, (1,)),
    ]


def run(plan: Plan) -> Result:
    rounds = plan.amount(ROUNDS)
    samples = plan.take_turns(contenders(plan), rounds)
    title = f"Milliseconds to the first result, {rounds} rounds"
    bases = {"× start_new_kernel": NEW, "× not waited for": BARE}
    table = timing_table(title, samples, "ms", bases)
    measured = {
        key: ratio(samples[name], samples[NEW])
        for key, name in (("loads.cold", COLD), ("loads.spare", SPARE))
        if name in samples
    }
    return Result((table,), measured)


TOPIC = Topic("loads", "Loads: from nothing to the first result", contenders, run)
