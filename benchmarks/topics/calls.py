"""One call with 100 bytes of JSON, against the ways that others have for it."""

from __future__ import annotations

from benchmarks import ours
from benchmarks.contender import Contender
from benchmarks.peers import (
    actors,
    appose_task,
    grpc_service,
    kernels,
    parallel,
    pipes,
    pyro,
    rpyc_service,
    sockets,
    zeromq,
)
from benchmarks.result import Plan, Result, Topic, timing_table
from benchmarks.spread import ratio

RAW, PIPE, PLUGIN, REQUEST = (
    "raw socketpair",
    "multiprocessing.Pipe",
    "**plugin**",
    "ipykernel `execute_request`",
)
ROUNDS = 40


def contenders(plan: Plan) -> list[Contender]:
    """Fast ones have 300 calls a turn, enough for a p99; slow ones as many as take as long."""
    fast, medium, slow = (plan.amount(full, 2) for full in (300, 60, 10))
    return [
        Contender(RAW, sockets.ping_pong, batch=fast),
        Contender(PIPE, pipes.echo, batch=fast),
        Contender(PLUGIN, ours.echo, ("Process",), batch=fast),
        Contender("plugin, sandbox None", ours.echo, ("None",), batch=fast),
        Contender("zmq", zeromq.echo, batch=fast),
        Contender("rpyc", rpyc_service.echo, batch=fast, package="rpyc"),
        Contender("Pyro5", pyro.echo, batch=medium, package="Pyro5"),
        Contender("appose", appose_task.echo, batch=medium, package="appose"),
        Contender("grpc", grpc_service.echo, batch=medium, package="grpc"),
        Contender("Dask actor", actors.echo, batch=slow, package="distributed"),
        Contender("ipyparallel", parallel.echo, batch=slow, package="ipyparallel"),
        Contender(REQUEST, kernels.execute_request, batch=slow),
    ]


def run(plan: Plan) -> Result:
    rounds = plan.amount(ROUNDS)
    samples = plan.take_turns(contenders(plan), rounds)
    title = f"Microseconds a call, {rounds} rounds"
    table = timing_table(title, samples, "µs", {"× raw": RAW, "× Pipe": PIPE}, p99=True)
    mine = samples[PLUGIN]
    measured = {
        "calls.to_pipe": ratio(mine, samples[PIPE]),
        "calls.to_raw": ratio(mine, samples[RAW]),
        "calls.faster_than_request": ratio(samples[REQUEST], mine),
        "calls.p99_to_pipe": ratio(mine, samples[PIPE], 0.99),
    }
    return Result((table,), measured)


TOPIC = Topic("calls", "Calls: an echo of 100 bytes of JSON", contenders, run)
