"""An array of floats in and back, against memcpy and against what others have for it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

from benchmarks import ours
from benchmarks.contender import Contender, Run
from benchmarks.peers import (
    actors,
    appose_task,
    grpc_service,
    kernels,
    memory,
    parallel,
    pipes,
    pyro,
    rpyc_service,
    sockets,
    zeromq,
)
from benchmarks.result import Plan, Result, Table, Topic, timing_table
from benchmarks.rounds import Samples
from benchmarks.spread import Spread, ratio

MEMCPY, PIPE, PLUGIN = "memcpy", "multiprocessing.Pipe (pickle)", "**plugin**"


class Size(NamedTuple):
    megabytes: int
    rounds: int
    batch: int


class Entry(NamedTuple):
    """A contender up to a size: those that copy and encode take seconds for more.

    Attributes:
        up_to: megabytes.
        package: that it needs; empty where the project itself needs it.
        is_slow: one sample a turn has to do.
    """

    name: str
    opened: Callable[[int], AbstractContextManager[Run]]
    up_to: int = 128
    package: str = ""
    is_slow: bool = False


SIZES = (Size(1, 20, 8), Size(16, 12, 2), Size(128, 7, 1))
ENTRIES = (
    Entry(MEMCPY, memory.array),
    Entry(PLUGIN, ours.array),
    Entry(PIPE, pipes.array),
    Entry("raw socketpair", sockets.array),
    Entry("zmq", zeromq.array),
    Entry("appose, a segment reused", appose_task.array, package="appose"),
    Entry("grpc", grpc_service.array, package="grpc"),
    Entry("Dask actor", actors.array, package="distributed"),
    Entry("rpyc", rpyc_service.array, 16, "rpyc"),
    Entry("Pyro5 (msgpack)", pyro.array, 16, "Pyro5"),
    Entry("ipyparallel", parallel.array, 16, "ipyparallel"),
    Entry("ipykernel `execute_request` (base64)", kernels.array, 1, is_slow=True),
)


def contenders(plan: Plan) -> list[Contender]:
    return [one for size in _sizes(plan) for one in _for_size(size, plan)]


def _sizes(plan: Plan) -> tuple[Size, ...]:
    return SIZES[:1] if plan.quick else SIZES


def _for_size(size: Size, plan: Plan) -> list[Contender]:
    return [
        Contender(
            entry.name,
            entry.opened,
            (size.megabytes,),
            1 if entry.is_slow else plan.amount(size.batch),
            entry.package,
        )
        for entry in ENTRIES
        if size.megabytes <= entry.up_to
    ]


def run(plan: Plan) -> Result:
    measured: dict[str, Spread] = {}
    tables = []
    for size in _sizes(plan):
        rounds = plan.amount(size.rounds)
        samples = plan.take_turns(_for_size(size, plan), rounds)
        tables.append(_table(size, rounds, samples))
        if size.megabytes > 1:  # smaller ones are dominated by the call, and have no target
            measured |= _measured(size, samples)
    return Result(tuple(tables), measured)


def _table(size: Size, rounds: int, samples: Samples) -> Table:
    title = f"Milliseconds for {size.megabytes} MB in and back, {rounds} rounds"
    bases = {"× memcpy both ways": MEMCPY, "× Pipe": PIPE}
    return timing_table(title, samples, "ms", bases)


def _measured(size: Size, samples: Samples) -> dict[str, Spread]:
    key = f"arrays.{size.megabytes}"
    return {
        f"{key}.to_memcpy": ratio(samples[PLUGIN], samples[MEMCPY]),
        f"{key}.faster_than_pickle": ratio(samples[PIPE], samples[PLUGIN]),
    }


TOPIC = Topic("arrays", "Arrays: float64, in and back", contenders, run)
