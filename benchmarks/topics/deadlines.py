"""How long after a deadline the caller has its error, and all that is known of what ran."""

from __future__ import annotations

from benchmarks import ours
from benchmarks.contender import Contender
from benchmarks.peers import kernels
from benchmarks.result import Plan, Result, Topic, timing_table
from benchmarks.spread import of_rounds

KERNEL = "ipykernel, interrupted in a loop"
COMPUTING, SLEEPING, WAITING = "**plugin, a loop**", "**plugin, a sleep**", "**plugin, a lock**"
IN_C = "**plugin, stuck in C: beyond the grace**"
TIMEOUT, GRACE = 0.1, 0.3  # seconds
ROUNDS = 20


def contenders(plan: Plan) -> list[Contender]:
    return [
        Contender(KERNEL, kernels.late, ("while True: pass", TIMEOUT)),
        Contender(COMPUTING, ours.late, ("computing", TIMEOUT, GRACE)),
        Contender(SLEEPING, ours.late, ("sleeping", TIMEOUT, GRACE)),
        Contender(WAITING, ours.late, ("waiting", TIMEOUT, GRACE)),
        Contender(IN_C, ours.late, ("in_c", TIMEOUT, GRACE)),
    ]


def run(plan: Plan) -> Result:
    rounds = plan.amount(ROUNDS)
    samples = plan.take_turns(contenders(plan), rounds)
    title = f"Milliseconds from the deadline to the error, {rounds} rounds"
    table = timing_table(title, samples, "ms", {"× ipykernel": KERNEL})
    measured = {
        "deadlines.computing": of_rounds(samples[COMPUTING]).times(1e3),
        "deadlines.sleeping": of_rounds(samples[SLEEPING]).times(1e3),
        "deadlines.in_c": of_rounds(samples[IN_C]).times(1e3),
    }
    return Result((table,), measured)


TOPIC = Topic("deadlines", "Deadlines: from the deadline to the error", contenders, run)
