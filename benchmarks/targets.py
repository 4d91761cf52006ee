"""What the project aims at, as data. A target that is not met is said to be; none is an error."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.spread import Spread


class Bound(enum.Enum):
    """Which side of a limit is wanted."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


@dataclass(frozen=True)
class Target:
    """A figure that is to be reached.

    Attributes:
        key: the measurement that decides it, as a topic names it.
        what: what is measured, for people.
        bound: which side of the limit is wanted.
        limit: in `unit`.
        unit: `×` for a ratio.
    """

    key: str
    what: str
    bound: Bound
    limit: float
    unit: str = "×"

    @property
    def topic(self) -> str:
        return self.key.partition(".")[0]

    def is_met_by(self, value: float) -> bool:
        return value <= self.limit if self.bound is Bound.AT_MOST else value >= self.limit


@dataclass(frozen=True)
class Outcome:
    """A target and what was measured; `measured` is None where its topic did not run."""

    target: Target
    measured: Spread | None

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        return "met" if self.target.is_met_by(self.measured.median) else "not met"


_MOST, _LEAST = Bound.AT_MOST, Bound.AT_LEAST
TARGETS = (
    Target("calls.to_pipe", "`execute` of an echo, to multiprocessing.Pipe", _MOST, 1.0),
    Target("calls.to_raw", "`execute` of an echo, to a raw socketpair", _MOST, 3.5),
    Target("calls.faster_than_request", "`execute_request` to `execute`", _LEAST, 100),
    Target("calls.p99_to_pipe", "`execute` of an echo, p99 to Pipe's p99", _MOST, 1.5),
    Target("threads.gain", "calls a second, 4 threads and plugins to 1", _LEAST, 1.5),
    Target("deadlines.computing", "deadline to error, a loop in Python", _MOST, 20, "ms"),
    Target("deadlines.sleeping", "deadline to error, a sleep", _MOST, 20, "ms"),
    Target("deadlines.in_c", "end of the grace to error, stuck in C", _MOST, 50, "ms"),
    Target("arrays.16.to_memcpy", "16 MB array in and back, to memcpy both ways", _MOST, 3),
    Target("arrays.128.to_memcpy", "128 MB array in and back, to memcpy both ways", _MOST, 3),
    Target("arrays.16.faster_than_pickle", "16 MB: pickle over Pipe to `execute`", _LEAST, 8),
    Target("arrays.128.faster_than_pickle", "128 MB: pickle over Pipe to `execute`", _LEAST, 8),
    Target("loads.cold", "load to first result without spare, to a fresh kernel's", _MOST, 0.15),
    Target("loads.spare", "load to first result with a spare, to a fresh kernel's", _MOST, 0.03),
    Target("sandboxes.container_call", "a call in a container, to one in a process", _MOST, 2.0),
    Target("sandboxes.container_load", "load in a container, to a bare `podman run`", _MOST, 1.3),
    Target("sandboxes.container_spare", "the same with a spare", _MOST, 1.3),
    Target("sandboxes.wasm_call", "a call in Wasm, to one by wasmtime alone", _MOST, 1.5),
    Target("sandboxes.wasm_saved", "saved to first answer of new code, in Wasm", _MOST, 150, "ms"),
    Target("sandboxes.wasm_array", "16 MB into Wasm and back, to memcpy both ways", _MOST, 20),
    Target("sandboxes.wasm_memory", "PSS of a further plugin in Wasm", _MOST, 40, "MB"),
    Target("memory.further", "PSS of a further plugin, to a fresh kernel's", _MOST, 0.4),
    Target("scale.closing", "closing 200 live plugins", _MOST, 3.0, "s"),
    Target("live.saved", "last byte saved to first answer of new code", _MOST, 150, "ms"),
    Target("live.held", "calls held by a reload, once none runs", _MOST, 10, "ms"),
    Target("live.crash", "killed, to the next answer", _MOST, 200, "ms"),
    Target("live.failed", "calls failed in 1,000 reloads under load", _MOST, 0, ""),
    Target("live.lost", "calls lost in 1,000 reloads under load", _MOST, 0, ""),
    Target("live.memory", "memory after 1,000 reloads, to that after 10", _MOST, 1.05),
    Target(
        "live.descriptors", "descriptors after 1,000 reloads beyond those after 10", _MOST, 0, ""
    ),
    Target("imports.load_ext", "`%load_ext nebula_lab` in a running kernel", _MOST, 150, "ms"),
    Target("resolver.to_networkx", "resolving 10,000 plugins, to networkx sorting", _MOST, 2.0),
    Target("resolver.growth", "resolving 10,000 plugins, to 1,000", _MOST, 20.0),
    Target("choosing.growth", "choosing among 2,000 plugins, to 200", _MOST, 40.0),
    Target("discovery.to_parsing", "finding 1,000 plugins, to parsing the TOML", _MOST, 3.0),
)


def outcomes(measured: Mapping[str, Spread]) -> tuple[Outcome, ...]:
    """Every target with what was measured for it.

    Raises:
        ValueError: something was measured for a target that there is not.
    """
    unknown = set(measured) - {target.key for target in TARGETS}
    if unknown:
        raise ValueError(f"no target is called {', '.join(sorted(unknown))}")
    return tuple(Outcome(target, measured.get(target.key)) for target in TARGETS)
