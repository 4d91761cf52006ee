"""The values that messages between the manager and a front end are made of.

`extensions/common/src/wire.ts` is generated from these by `extensions/write_wire.py`, with the
first paragraph of each docstring; a test holds the two together. Times are seconds since 1970,
durations seconds, sizes bytes. Every text is clean and capped, and still only to be shown as text.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

StateWord = Literal["Discovered", "Loading", "Loaded", "Active", "Suspended", "Failed", "Unloading"]
HealthWord = Literal["Unknown", "Healthy", "Degraded", "Unhealthy"]
EdgeWord = Literal["plain", "optional", "unsuitable", "cycle"]


class Value(Struct, frozen=True, rename="camel"):
    """The root of all values."""


class PluginRow(Value, frozen=True):
    """A plugin at one moment: `cpu` is percent of one core, `latency` p50, p95 and p99 of late."""

    id: str
    name: str
    version: str
    description: str
    state: StateWord
    # Why it can't be loaded, where it can't.
    left_out: str
    sandbox: str
    rights: tuple[str, ...]
    pid: int | None
    health: HealthWord
    health_message: str
    executions: int
    failures: int
    # Calls a second.
    rate: float
    latency: tuple[float, float, float] | None
    cpu: float | None
    memory: int | None
    reloads: int
    restarts: int
    loaded_at: float | None
    last_used: float | None
    error: str
    error_at: float | None


class RowChange(Value, frozen=True):
    """What is different in a row since it was last sent; all but `id` may be absent."""

    id: str
    name: str | UnsetType = UNSET
    version: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    state: StateWord | UnsetType = UNSET
    left_out: str | UnsetType = UNSET
    sandbox: str | UnsetType = UNSET
    rights: tuple[str, ...] | UnsetType = UNSET
    pid: int | UnsetType | None = UNSET
    health: HealthWord | UnsetType = UNSET
    health_message: str | UnsetType = UNSET
    executions: int | UnsetType = UNSET
    failures: int | UnsetType = UNSET
    rate: float | UnsetType = UNSET
    latency: tuple[float, float, float] | UnsetType | None = UNSET
    cpu: float | UnsetType | None = UNSET
    memory: int | UnsetType | None = UNSET
    reloads: int | UnsetType = UNSET
    restarts: int | UnsetType = UNSET
    loaded_at: float | UnsetType | None = UNSET
    last_used: float | UnsetType | None = UNSET
    error: str | UnsetType = UNSET
    error_at: float | UnsetType | None = UNSET


class TrendPoint(Value, frozen=True):
    """Where the lines of a plugin's sparkline were at a moment."""

    at: float
    rate: float
    p50: float
    p95: float
    p99: float


class Trend(Value, frozen=True):
    """The points of a plugin that were taken before a view was opened, oldest first."""

    plugin: str
    points: tuple[TrendPoint, ...]


class Totals(Value, frozen=True):
    """Sums over all plugins; `problems` is another number whenever they are other ones."""

    plugins: int
    serving: int
    failed: int
    executions: int
    failures: int
    errors: int
    notes: int
    problems: int


class LogRow(Value, frozen=True):
    """A line that a plugin wrote: `stream` is stdout, stderr or log; `level` as in `logging`."""

    at: float
    level: int
    stream: str
    text: str


class OperationRow(Value, frozen=True):
    """An operation, and the JSON Schema of its params, of the closed vocabulary."""

    name: str
    signature: str
    description: str
    params: dict[str, Any]
    stream: bool
    idempotent: bool


class VersionRow(Value, frozen=True):
    """A version that a plugin can go back to."""

    version: str
    digest: str
    at: float
    serves: bool


class ProblemRow(Value, frozen=True):
    """What is wrong with a plugin, or a note on it; `where` is a file and a line."""

    plugin: str
    kind: str
    severity: Literal["error", "note"]
    message: str
    where: str
    cure: str


class SampleRow(Value, frozen=True):
    """A call as it could stand in a notebook, in Python and as a magic."""

    plugin: str
    operation: str
    description: str
    code: str
    magic: str


class GraphNode(Value, frozen=True):
    """A plugin in the graph; `state` is also "left out" or "missing"."""

    id: str
    version: str
    state: str
    conflict: str


class GraphEdge(Value, frozen=True):
    """A dependency, from the plugin that declares it, and the file and line where it does."""

    dependent: str
    dependency: str
    requirement: str
    kind: EdgeWord
    where: str


class GraphCycle(Value, frozen=True):
    """A shortest closed path, its first id not repeated, and where each step is declared."""

    path: tuple[str, ...]
    declared: tuple[str, ...]
