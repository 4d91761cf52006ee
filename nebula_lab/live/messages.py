"""The messages between the manager and a front end, one struct a kind; JSON on the wire.

A front end says `hello`, says with `watch` what it shows, and asks with the other messages, each
with a number of its choice. The kernel answers `accepted` at once, then `answer` or `failure` with
that number, and sends `snapshot`, `changes`, `graph`, `logLines` and `removed` by itself.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from nebula_lab.live.rows import (
    GraphCycle,
    GraphEdge,
    GraphNode,
    LogRow,
    OperationRow,
    PluginRow,
    ProblemRow,
    RowChange,
    SampleRow,
    Totals,
    Trend,
    VersionRow,
)

PROTOCOL = 1
Topic = Literal["plugins", "graph"]


class Message(Struct, frozen=True, rename="camel", tag_field="type"):
    """The root of all messages; `type` says which it is."""


# From the front end


class Hello(Message, frozen=True, tag="hello"):
    """The first message of a front end, and of one that has lost its kernel.

    What it watched before is void: it says so again when it is welcome.
    """

    protocol: int


class Beat(Message, frozen=True, tag="beat"):
    """A view that is seen says every ten seconds that it is still there."""


class Watch(Message, frozen=True, tag="watch"):
    """What a view shows from now on; nothing while it is hidden.

    `interval` is the least number of seconds between two pushes; `logs` has the plugins whose
    lines are followed; of two watches that overtake each other the one with the higher `serial`
    holds.
    """

    topics: tuple[Topic, ...]
    interval: float = 0.25
    logs: tuple[str, ...] = ()
    serial: int = 0


class Request(Message, frozen=True):
    """The root of all messages that are answered."""

    id: int


class Load(Request, frozen=True, tag="load"):
    """Load a plugin and what it needs."""

    plugin: str


class Unload(Request, frozen=True, tag="unload"):
    """Unload a plugin; with `cascade`, also those that need it."""

    plugin: str
    cascade: bool = False


class Reload(Request, frozen=True, tag="reload"):
    """Put a plugin's files, as they are now, in the place of what runs."""

    plugin: str


class Suspend(Request, frozen=True, tag="suspend"):
    """Keep a plugin's state and end its process."""

    plugin: str


class Resume(Request, frozen=True, tag="resume"):
    """Bring a suspended plugin back."""

    plugin: str


class Restart(Request, frozen=True, tag="restart"):
    """End a plugin and load it again; with `cascade`, also those of the loaded that need it."""

    plugin: str
    cascade: bool = False


class Call(Request, frozen=True, tag="call"):
    """Call an operation; without `timeout`, the configuration's."""

    plugin: str
    operation: str
    params: dict[str, Any]
    timeout: float | None = None


class Cancel(Message, frozen=True, tag="cancel"):
    """Stop the call that was asked for with this number."""

    id: int


class AskOperations(Request, frozen=True, tag="operations"):
    """What a plugin can do; with `load`, it is loaded to be asked."""

    plugin: str
    load: bool = True


class AskHistory(Request, frozen=True, tag="history"):
    """The versions that a plugin can go back to."""

    plugin: str


class Rollback(Request, frozen=True, tag="rollback"):
    """Go back to a version, by its digest."""

    plugin: str
    version: str


class AskLogs(Request, frozen=True, tag="logs"):
    """The last lines that a plugin wrote."""

    plugin: str
    lines: int = 200


class AskHealth(Request, frozen=True, tag="health"):
    """Ask a plugin now how it is; its row has the answer too."""

    plugin: str


class AskProblems(Request, frozen=True, tag="problems"):
    """What is wrong with plugins."""


class AskSamples(Request, frozen=True, tag="samples"):
    """Calls that can be put into a notebook."""


class AskGraph(Request, frozen=True, tag="askGraph"):
    """The graph, once."""


FromFrontEnd = (
    Hello
    | Beat
    | Watch
    | Load
    | Unload
    | Reload
    | Suspend
    | Resume
    | Restart
    | Call
    | Cancel
    | AskOperations
    | AskHistory
    | Rollback
    | AskLogs
    | AskHealth
    | AskProblems
    | AskSamples
    | AskGraph
)


# Answers


class Answer(Struct, frozen=True, rename="camel", tag_field="kind"):
    """The root of all answers; `kind` says which it is."""


class Done(Answer, frozen=True, tag="done"):
    """It is done; `text` says what has become of it."""

    text: str


class CallResult(Answer, frozen=True, tag="result"):
    """What a call returned, as text, and what it printed; `language` is json or text."""

    text: str
    language: Literal["json", "text"]
    output: str
    seconds: float


class Operations(Answer, frozen=True, tag="operations"):
    """Operations by name; `open` plugins take others too; so many were left out for their size."""

    operations: tuple[OperationRow, ...]
    open: bool
    left_out: int


class History(Answer, frozen=True, tag="history"):
    """The newest first."""

    versions: tuple[VersionRow, ...]


class Logs(Answer, frozen=True, tag="logs"):
    """The oldest first."""

    lines: tuple[LogRow, ...]


class Health(Answer, frozen=True, tag="health"):
    """How a plugin says it is."""

    state: str
    message: str


class Problems(Answer, frozen=True, tag="problems"):
    """Errors first, then notes; so many were left out for their size."""

    problems: tuple[ProblemRow, ...]
    left_out: int


class Samples(Answer, frozen=True, tag="samples"):
    """A sample for each operation that is known."""

    samples: tuple[SampleRow, ...]
    left_out: int


class Graph(Answer, frozen=True, tag="graph"):
    """Plugins and dependencies as they are declared."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    cycles: tuple[GraphCycle, ...]


AnyAnswer = Done | CallResult | Operations | History | Logs | Health | Problems | Samples | Graph


# From the kernel


class Welcome(Message, frozen=True, tag="welcome"):
    """The answer to `hello`; another `protocol` than ours can't be talked to.

    `direct` says that messages of this front end are read while a cell runs; others wait for its
    end.
    """

    protocol: int
    version: str
    direct: bool


class Farewell(Message, frozen=True, tag="farewell"):
    """The last message from this side, which reads no more: it was unloaded or loaded anew."""


class Snapshot(Message, frozen=True, tag="snapshot"):
    """All there is; what was known before is void."""

    at: float
    plugins: tuple[PluginRow, ...]
    totals: Totals
    trends: tuple[Trend, ...]


class Changes(Message, frozen=True, tag="changes"):
    """What is different since the last snapshot or changes."""

    at: float
    plugins: tuple[RowChange, ...]
    added: tuple[PluginRow, ...]
    removed: tuple[str, ...]
    totals: Totals | None


class GraphChanged(Message, frozen=True, tag="graphChanged"):
    """The graph as it is now; states are in the rows."""

    graph: Graph


class LogLines(Message, frozen=True, tag="logLines"):
    """What a plugin whose logs are followed has written since; `missed` lines are not there."""

    plugin: str
    lines: tuple[LogRow, ...]
    missed: int


class Accepted(Message, frozen=True, tag="accepted"):
    """A request has arrived and is under way."""

    id: int


class Answered(Message, frozen=True, tag="answer"):
    """A request is done."""

    id: int
    answer: AnyAnswer


class Failure(Message, frozen=True, tag="failure"):
    """A request failed: the error's class, what happened, what to do, and all of it at length."""

    id: int
    error: str
    message: str
    hint: str
    details: str


class Refused(Message, frozen=True, tag="refused"):
    """A message could not be read; `reason` says why."""

    reason: str


FromKernel = (
    Welcome
    | Farewell
    | Snapshot
    | Changes
    | GraphChanged
    | LogLines
    | Accepted
    | Answered
    | Failure
    | Refused
)
