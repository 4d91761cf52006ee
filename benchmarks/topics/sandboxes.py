"""The same plugin in every sandbox: to start it, to call it, to hand it an array, to keep it."""

from __future__ import annotations

import importlib.util
import shutil
from typing import Any

from benchmarks import living, sandboxed
from benchmarks.contender import Contender
from benchmarks.payload import MEGABYTE
from benchmarks.peers import memory
from benchmarks.result import Figure, Plan, Result, Row, Table, Topic, timing_table
from benchmarks.rounds import Samples
from benchmarks.spread import of_rounds, ratio

CALLS, LOADS, SAVES, ARRAYS, MEMORY = "calls", "loads", "saves", "arrays", "memory"
PROCESS, CONTAINER, WASM = "Process", "**Container**", "**Wasm**"
BARE, BARE_WASM = "bare `podman run`, first output", "the same component, by wasmtime alone"
NO_SPARE, A_SPARE = "**Container, no spare**", "**Container, a spare**"
PROCESS_LOAD = "Process, no spare"
MEMCPY = "memcpy both ways"
MEGABYTES = 16
ROUNDS = {CALLS: 20, LOADS: 12, SAVES: 12, ARRAYS: 12}
LIVE, COUNTED = 6, 4  # the last so many are measured


def contenders(plan: Plan) -> list[Contender]:
    return [one for group in _groups(plan).values() for one in group]


def _settings() -> dict[str, Any]:
    """What can be had here, by its name in the tables."""
    found: dict[str, Any] = {"None": "None", PROCESS: "Process"}
    if shutil.which("podman") is not None:
        found[CONTAINER] = sandboxed.CONTAINER
    if importlib.util.find_spec("wasmtime") and importlib.util.find_spec("componentize_py"):
        found[WASM] = "Wasm"
    return found


def _groups(plan: Plan) -> dict[str, list[Contender]]:
    fast, settings = plan.amount(300, 2), _settings()
    calls = [Contender(name, sandboxed.echo, (one,), batch=fast) for name, one in settings.items()]
    arrays = [Contender(MEMCPY, memory.array, (MEGABYTES,))]
    arrays += [Contender(name, sandboxed.array, (one, MEGABYTES)) for name, one in settings.items()]
    if WASM in settings:
        calls.append(Contender(BARE_WASM, sandboxed.bare_machine, batch=fast))
    live = plan.amount(LIVE, 3), plan.amount(COUNTED)
    return {
        CALLS: calls,
        LOADS: _loads(settings),
        SAVES: [Contender(name, living.saving, (0, one)) for name, one in settings.items()],
        ARRAYS: arrays,
        MEMORY: [
            Contender(name, sandboxed.further_memory, (one, live[0] - live[1], live[0]))
            for name, one in settings.items()
        ],
    }


def _loads(settings: dict[str, Any]) -> list[Contender]:
    found = [
        Contender("None", sandboxed.load, ("None", 0)),
        Contender(PROCESS_LOAD, sandboxed.load, ("Process", 0)),
    ]
    if CONTAINER in settings:
        found += [
            Contender(BARE, sandboxed.bare_container),
            Contender(NO_SPARE, sandboxed.load, (sandboxed.CONTAINER, 0)),
            Contender(A_SPARE, sandboxed.load, (sandboxed.CONTAINER, 1)),
        ]
    if WASM in settings:
        found.append(Contender(WASM, sandboxed.load, ("Wasm", 0)))
    return found


def run(plan: Plan) -> Result:
    groups = _groups(plan)
    samples = {
        kind: plan.take_turns(groups[kind], plan.amount(rounds)) for kind, rounds in ROUNDS.items()
    }
    # Each round takes one plugin more, so there is none that is not counted.
    samples[MEMORY] = plan.take_turns(groups[MEMORY], plan.amount(COUNTED), uncounted=0)
    tables = (
        timing_table(
            "Microseconds a call",
            samples[CALLS],
            "µs",
            {"× Process": PROCESS, "× wasmtime alone": BARE_WASM},
        ),
        timing_table(
            "Milliseconds to the first result",
            samples[LOADS],
            "ms",
            {"× Process": PROCESS_LOAD, "× bare container": BARE},
        ),
        timing_table(
            "Milliseconds from the last byte saved to the first answer of new code",
            samples[SAVES],
            "ms",
            {"× Process": PROCESS},
        ),
        timing_table(
            f"Milliseconds for {MEGABYTES} MB in and back",
            samples[ARRAYS],
            "ms",
            {"× Process": PROCESS, "× memcpy both ways": MEMCPY},
        ),
        _memory_table(samples[MEMORY]),
    )
    measured = {
        key: ratio(samples[kind][name], samples[kind][base])
        for key, kind, name, base in _RATIOS
        if name in samples[kind]
    }
    if WASM in samples[MEMORY]:
        measured["sandboxes.wasm_saved"] = of_rounds(samples[SAVES][WASM]).times(1e3)
        measured["sandboxes.wasm_memory"] = of_rounds(samples[MEMORY][WASM]).times(1 / MEGABYTE)
    return Result(tables, measured)


_RATIOS = (
    ("sandboxes.container_call", CALLS, CONTAINER, PROCESS),
    ("sandboxes.container_load", LOADS, NO_SPARE, BARE),
    ("sandboxes.container_spare", LOADS, A_SPARE, BARE),
    ("sandboxes.wasm_call", CALLS, WASM, BARE_WASM),
    ("sandboxes.wasm_array", ARRAYS, WASM, MEMCPY),
)


def _memory_table(samples: Samples) -> Table:
    rows = tuple(
        Row(
            name,
            (
                Figure(of_rounds(rounds).times(1 / MEGABYTE), "MB"),
                Figure(ratio(rounds, samples[PROCESS]), "×"),
            ),
        )
        for name, rounds in samples.items()
    )
    return Table(
        "PSS of each further plugin, its container's watcher left out", ("PSS", "× Process"), rows
    )


TOPIC = Topic("sandboxes", "Sandboxes: the same plugin in each", contenders, run)
