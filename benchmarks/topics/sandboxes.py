"""The same plugin in every sandbox: to start it, to call it, to hand it an array."""

from __future__ import annotations

import shutil

from benchmarks import sandboxed
from benchmarks.contender import Contender
from benchmarks.result import Plan, Result, Topic, timing_table
from benchmarks.spread import ratio

CALLS, LOADS, ARRAYS = "calls", "loads", "arrays"
PROCESS, CONTAINER = "Process", "**Container**"
BARE = "bare `podman run`, first output"
NO_SPARE, A_SPARE = "**Container, no spare**", "**Container, a spare**"
MEGABYTES = 16
ROUNDS = {CALLS: 20, LOADS: 12, ARRAYS: 12}


def contenders(plan: Plan) -> list[Contender]:
    return [one for group in _groups(plan).values() for one in group]


def _groups(plan: Plan) -> dict[str, list[Contender]]:
    fast = plan.amount(300, 2)
    has_containers = shutil.which("podman") is not None
    settings = [("None", "None"), (PROCESS, "Process")]
    if has_containers:
        settings.append((CONTAINER, sandboxed.CONTAINER))  # type: ignore[arg-type]
    loads = [Contender("Process, no spare", sandboxed.load, ("Process", 0))]
    if has_containers:
        loads += [
            Contender(BARE, sandboxed.bare_container),
            Contender(NO_SPARE, sandboxed.load, (sandboxed.CONTAINER, 0)),
            Contender(A_SPARE, sandboxed.load, (sandboxed.CONTAINER, 1)),
        ]
    return {
        CALLS: [Contender(name, sandboxed.echo, (one,), batch=fast) for name, one in settings],
        LOADS: loads,
        ARRAYS: [Contender(name, sandboxed.array, (one, MEGABYTES)) for name, one in settings],
    }


def run(plan: Plan) -> Result:
    groups = _groups(plan)
    samples = {
        kind: plan.take_turns(group, plan.amount(ROUNDS[kind])) for kind, group in groups.items()
    }
    tables = (
        timing_table("Microseconds a call", samples[CALLS], "µs", {"× Process": PROCESS}),
        timing_table(
            "Milliseconds to the first result",
            samples[LOADS],
            "ms",
            {"× bare": BARE} if BARE in samples[LOADS] else {},
        ),
        timing_table(
            f"Milliseconds for {MEGABYTES} MB in and back",
            samples[ARRAYS],
            "ms",
            {"× Process": PROCESS},
        ),
    )
    pairs = (
        ("sandboxes.container_call", CALLS, CONTAINER, PROCESS),
        ("sandboxes.container_load", LOADS, NO_SPARE, BARE),
        ("sandboxes.container_spare", LOADS, A_SPARE, BARE),
    )
    measured = {
        key: ratio(samples[kind][name], samples[kind][base])
        for key, kind, name, base in pairs
        if name in samples[kind]
    }
    return Result(tables, measured)


TOPIC = Topic("sandboxes", "Sandboxes: the same plugin in each", contenders, run)
