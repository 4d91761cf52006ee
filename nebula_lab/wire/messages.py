"""Every message of the protocol, as msgspec structs. A host is where a plugin runs.

Messages are arrays on the wire, tagged by a small integer; `params`, `result` and the like are
values already encoded by `nebula_lab.wire.values`, so that reading a message never builds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from nebula_lab.wire.encoded import EncodedValue
from nebula_lab.wire.parcel import LadenError, Parcel

# The versions of the protocol that this code speaks, newest first.
PROTOCOL_VERSIONS = (2,)
# Tells a person who runs the agent by hand what it is; it is no secret and no protection.
COOKIE = "nebula_lab plugin host"


class Message(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The root of all messages."""


# Handshake


class Hello(Message, tag=1, frozen=True, gc=False):
    """Host: who I am and the versions that I speak."""

    cookie: str
    versions: list[int]
    pid: int
    python: str


class Welcome(Message, tag=2, frozen=True, gc=False):
    """Manager: the newest version that both speak."""

    version: int


class Refused(Message, tag=3, frozen=True, gc=False):
    """Either side: why there will be no conversation."""

    reason: str


# Manager to host


class Load(Message, tag=10, frozen=True, gc=False):
    """Bring the plugin up: import its source, find its entry, initialize it.

    `path` is the host's own copy of the source, `origin` what it is a copy of. Answered by `Loaded`
    or `Failure`.
    """

    call: int
    plugin_id: str
    path: str
    origin: str
    config: EncodedValue
    scratch_dir: str
    concurrency: int
    api_version: int


class Call(Message, tag=11, frozen=True, gc=False):
    """Run an operation, or one of the `KINDS` that every plugin has.

    Without `stream_credit` the caller takes no stream: it gets the items as a list.
    """

    call: int
    kind: str
    operation: str
    params: EncodedValue
    stream_credit: int


class Cancel(Message, tag=12, frozen=True, gc=False):
    """Stop a call. A SIGINT may follow, to have this read while the call runs."""

    call: int


class Credit(Message, tag=13, frozen=True, gc=False):
    """Allow a stream to send so many more items."""

    call: int
    items: int


class Response(Message, tag=14, frozen=True, gc=False):
    """The result of a `Request` that the host made."""

    request: int
    result: EncodedValue


class ResponseFailure(Message, tag=15, frozen=True, gc=False):
    """A `Request` that gave no result."""

    request: int
    error_type: str
    message: str


class Shutdown(Message, tag=16, frozen=True, gc=False):
    """Clean up and end."""


# Host to manager


class Loaded(Message, tag=30, frozen=True, gc=False):
    """The plugin is up. `description` is what `nebula_lab.plugin.describe` gives, encoded."""

    call: int
    description: EncodedValue
    concurrency: int


class Reply(Message, tag=31, frozen=True, gc=False):
    """A call's result; for a stream, that it ended."""

    call: int
    result: EncodedValue


class Failure(Message, tag=32, frozen=True, gc=False):
    """A call that gave no result.

    `kind` is one of `FAILURE_KINDS`, where `withdrawn` is a call that was stopped before it began;
    `traceback` is the plugin's own, as text; `element` is the path to an unsupported value where
    that was the reason; `obstacle` one of `OBSTACLES`, what a confined plugin may have run into;
    `request` the number of the `Request` whose failure led to this one, 0 where none did.
    """

    call: int
    kind: str
    error_type: str
    message: str
    traceback: str
    element: str = ""
    obstacle: str = ""
    request: int = 0


class Item(Message, tag=33, frozen=True, gc=False):
    """The next item of a stream."""

    call: int
    value: EncodedValue


class Output(Message, tag=34, frozen=True, gc=False):
    """What a call wrote to `stdout` or `stderr`; call 0 is none in particular."""

    call: int
    stream: str
    text: str


class Display(Message, tag=35, frozen=True, gc=False):
    """What a call displayed: `action` is display, update or clear; the rest is a MIME bundle."""

    call: int
    action: str
    bundle: EncodedValue


class Log(Message, tag=36, frozen=True, gc=False):
    """A log record, level as in `logging`."""

    call: int
    level: int
    logger: str
    message: str


class Progress(Message, tag=37, frozen=True, gc=False):
    """How far a call has come; `total` is None where nobody knows."""

    call: int
    done: float
    total: float | None
    text: str


class Stopping(Message, tag=39, frozen=True, gc=False):
    """A call that was to be stopped has begun, and has been told.

    Nothing of the kind comes for one that the main thread runs: the `Failure` says it, or the call
    does not stop and nobody is there to say anything.
    """

    call: int


class Request(Message, tag=38, frozen=True, gc=False):
    """The plugin calls one that it depends on, on behalf of `call`."""

    request: int
    call: int
    plugin_id: str
    operation: str
    params: EncodedValue
    timeout: float | None


# Either side


class Tidings(Message, tag=50, frozen=True, gc=False):
    """Nothing but the manifest that comes with it."""


KINDS = frozenset(
    {
        "operation",
        "health",
        "save_state",
        "restore_state",
        "self_test",
        "dependency_reloaded",
        "debug",
        "cleanup",
        "cell",
    }
)
FAILURE_KINDS = frozenset(
    {
        "raised",
        "cancelled",
        "withdrawn",
        "symbol",
        "load",
        "unknown_operation",
        "unsupported_value",
        "too_large",
    }
)
# What may have stood in a confined plugin's way; "" is nothing of the kind.
OBSTACLES = frozenset(
    {"", "memory", "handles", "threads", "scratch", "fuel", "permission", "file", "network"}
)

# Where a message has a value, which may have attachments.
VALUE_FIELDS: Mapping[type[Message], str] = MappingProxyType(
    {
        Load: "config",
        Call: "params",
        Response: "result",
        Loaded: "description",
        Reply: "result",
        Item: "value",
        Display: "bundle",
        Request: "params",
    }
)

ToHost = (
    Welcome
    | Refused
    | Load
    | Call
    | Cancel
    | Credit
    | Response
    | ResponseFailure
    | Shutdown
    | Tidings
)
ToManager = (
    Hello
    | Refused
    | Loaded
    | Reply
    | Failure
    | Item
    | Output
    | Display
    | Log
    | Progress
    | Request
    | Stopping
    | Tidings
)


def _refuse_parcel(value: Any) -> Any:
    # The one place that finds attachments, so that messages without any pay nothing.
    if isinstance(value, Parcel):
        raise LadenError(value)
    raise TypeError(f"a message with a {type(value).__name__} in it")


_encoder = msgspec.msgpack.Encoder(enc_hook=_refuse_parcel)


def encode_message(message: Message) -> bytes:
    """The bytes of a message.

    Raises:
        LadenError: its value has attachments, which have to be stowed first.
    """
    try:
        return _encoder.encode(message)
    except UnicodeEncodeError:
        return _encoder.encode(_without_lone_surrogates(message))


def _without_lone_surrogates(message: Message) -> Message:
    """Python's text may hold half a pair of surrogates, UTF-8 can't: it is shown escaped."""
    fields = msgspec.structs.asdict(message)
    return type(message)(
        **{
            name: value.encode("utf-8", "backslashreplace").decode()
            if isinstance(value, str)
            else value
            for name, value in fields.items()
        }
    )


to_host_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(ToHost)
to_manager_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(ToManager)
