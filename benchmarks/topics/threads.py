"""Threads that call at the same time, each a plugin of its own."""

from __future__ import annotations

from benchmarks import ours
from benchmarks.contender import Contender
from benchmarks.peers import pipes
from benchmarks.result import Plan, Result, Topic, timing_table
from benchmarks.spread import ratio

ONE, FOUR = "**1 thread, 1 plugin**", "**4 threads, 4 plugins**"
ONE_PIPE, FOUR_PIPES = "1 thread, 1 Pipe", "4 threads, 4 Pipes"
ROUNDS = 20


def contenders(plan: Plan) -> list[Contender]:
    """All make the same number of calls."""
    calls = plan.amount(1000, 40)
    return [
        Contender(ONE, ours.from_threads, (1, calls)),
        Contender(FOUR, ours.from_threads, (4, calls)),
        Contender(ONE_PIPE, pipes.from_threads, (1, calls)),
        Contender(FOUR_PIPES, pipes.from_threads, (4, calls)),
    ]


def run(plan: Plan) -> Result:
    rounds = plan.amount(ROUNDS)
    samples = plan.take_turns(contenders(plan), rounds)
    title = f"Milliseconds for {plan.amount(1000, 40):,} calls, {rounds} rounds"
    bases = {"× 1 thread, 1 plugin": ONE, "× 1 thread, 1 Pipe": ONE_PIPE}
    table = timing_table(title, samples, "ms", bases)
    # The same calls in half the time are twice the calls a second.
    return Result((table,), {"threads.gain": ratio(samples[ONE], samples[FOUR])})


TOPIC = Topic("threads", "Threads: four callers and four plugins", contenders, run)
