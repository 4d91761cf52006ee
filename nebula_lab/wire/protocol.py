"""One side of a conversation: bytes in, messages out, and the order that they may come in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any, Protocol, get_args

import msgspec

from nebula_lab.wire.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from nebula_lab.wire.framing import (
    HEADER_SIZE,
    MAX_FRAME_SIZE,
    FrameReader,
    frame,
    laden_frame,
    split_laden,
)
from nebula_lab.wire.manifest import Manifest, decode_manifest, encode_manifest
from nebula_lab.wire.messages import (
    COOKIE,
    PROTOCOL_VERSIONS,
    VALUE_FIELDS,
    Hello,
    Message,
    Refused,
    Tidings,
    ToHost,
    ToManager,
    Welcome,
    encode_message,
    to_host_decoder,
    to_manager_decoder,
)
from nebula_lab.wire.parcel import Behind, Delivery, Parcel
from nebula_lab.wire.values import NULL


class Side(Enum):
    """Whose end of the conversation this is."""

    MANAGER = "manager"
    HOST = "host"


class Phase(Enum):
    """Where the conversation has got to."""

    GREETING = "greeting"
    ANSWERING = "answering"
    OPEN = "open"
    CLOSED = "closed"


# What moves the conversation on; the other messages are for the open phase and do not change it.
TRANSITIONS: dict[Phase, dict[type[Message], Phase]] = {
    Phase.GREETING: {Hello: Phase.ANSWERING, Refused: Phase.CLOSED},
    Phase.ANSWERING: {Welcome: Phase.OPEN, Refused: Phase.CLOSED},
    Phase.OPEN: {},
    Phase.CLOSED: {},
}


_OPEN = Phase.OPEN
_HANDSHAKE = frozenset({Hello, Welcome, Refused})
_OTHER = {Side.MANAGER: Side.HOST, Side.HOST: Side.MANAGER}
_OWN: dict[Side, frozenset[type]] = {
    Side.MANAGER: frozenset(get_args(ToHost)),
    Side.HOST: frozenset(get_args(ToManager)),
}


class Porter(Protocol):
    """Who takes in what comes beside messages."""

    def receive(self, manifest: Manifest, raw: msgspec.Raw) -> Delivery:
        """Take note of a manifest; what it says of the value `raw`.

        Raises:
            RemoteProtocolError: it speaks of what is not there, or is not the sender's to say.
        """


class Connection:
    """The protocol as one side sees it. It holds no socket.

    Both sides go through the same phases: the host says hello, the manager welcomes or refuses,
    then either may send what is its to send. An illegal message raises and changes nothing.
    """

    def __init__(self, side: Side) -> None:
        self.side = side
        # Without one, laden messages are not understood.
        self.porter: Porter | None = None
        self._decoder = to_manager_decoder if side is Side.MANAGER else to_host_decoder
        self._ours, self._theirs = _OWN[side], _OWN[_OTHER[side]]
        # Once the conversation is open, what either says changes no phase: one look is enough.
        self._ours_when_open = self._ours - _HANDSHAKE
        self._theirs_when_open = self._theirs - _HANDSHAKE
        self._decode = self._decoder.decode
        self._reader = FrameReader()
        self._is_mid_frame = False  # what comes next belongs to what the reader has
        self._phase = Phase.GREETING
        self._laden: Message | None = None  # its attachments are still to come
        # What follows that message on the stream and is in no frame. It may be read into its
        # target right away, if `arrived_behind` is told, instead of being given to `arrived`.
        self.behind: Behind | None = None

    @property
    def phase(self) -> Phase:
        return self._phase

    def send(self, message: Message) -> bytes:
        """The bytes that say `message` to the other side.

        Raises:
            LocalProtocolError: it is not the time for that message, or it is too large.
            LadenError: its value has attachments; see `send_laden`.
        """
        if self._phase is _OPEN and type(message) in self._ours_when_open:
            payload = encode_message(message)
            size = len(payload)
            if size <= MAX_FRAME_SIZE:
                return size.to_bytes(HEADER_SIZE, "big") + payload
        phase = self._after(message, self._ours, LocalProtocolError)
        data = frame(encode_message(message))
        self._phase = phase
        return data

    def send_laden(self, message: Message, manifest: Manifest) -> bytes:
        """The same for a message that has attachments, or news of segments, beside it.

        Raises:
            LocalProtocolError: it is not the time for that message, or it is too large.
        """
        phase = self._after(message, self._ours, LocalProtocolError)
        parcel = parcel_of(message)
        if parcel is not None:
            message = msgspec.structs.replace(message, **{VALUE_FIELDS[type(message)]: parcel.raw})
        data = laden_frame(encode_manifest(manifest), encode_message(message))
        self._phase = phase
        return data

    def arrived(self, data: bytes) -> Iterable[Any]:
        """Take in what arrived; gives the messages that are whole now.

        Raises:
            RemoteProtocolError: what arrived is no message, or is out of turn; once those before
                it have been given.
        """
        size = len(data) - HEADER_SIZE
        if (
            int.from_bytes(data[:HEADER_SIZE], "big") == size
            and self._phase is _OPEN
            and not self._is_mid_frame
        ):
            # One whole frame, as what arrives nearly always is: the short way.
            try:
                message = self._decode(data[HEADER_SIZE:])
            except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
                pass  # `next_message` says what is wrong with it
            else:
                if type(message) in self._theirs_when_open:
                    return (message,)
        self._is_mid_frame = True
        self._reader.feed(data)
        return self.messages()

    def arrived_behind(self, count: int) -> Iterable[Any]:
        """The same for so many bytes that have been read into the target of `behind`."""
        assert self.behind is not None
        self.behind.advance(count)
        return self.messages()

    def receive(self, data: bytes) -> None:
        """Take in what arrived."""
        self._reader.feed(data)

    def next_message(self) -> Any | None:
        """The next message that has arrived whole, or None.

        Raises:
            RemoteProtocolError: what arrived is no message, or is out of turn.
        """
        if self.behind is not None:
            return self._next_laden()
        while (payload := self._reader.next_payload()) is not None:
            if not self._reader.is_laden:
                return self._read(payload)
            message = self._read_laden(payload)
            if type(message) is not Tidings:
                return message
        return None

    def _read(self, payload: bytes | memoryview) -> Message:
        try:
            message: Message = self._decoder.decode(payload)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise RemoteProtocolError(f"a frame that is no message: {error}") from error
        self._phase = self._after(message, self._theirs, RemoteProtocolError)
        return message

    def _read_laden(self, payload: bytes) -> Message | None:
        if self._phase is not Phase.OPEN or self.porter is None:
            raise RemoteProtocolError(f"a message with attachments while {self._phase.value}")
        head, body = split_laden(payload)
        manifest = decode_manifest(head)
        message = self._read(body)
        field = VALUE_FIELDS.get(type(message), "")
        if manifest.slots and not field:
            raise RemoteProtocolError(f"a {type(message).__name__} with attachments")
        delivery = self.porter.receive(manifest, getattr(message, field, NULL))
        if not manifest.slots:
            return message
        self._laden = msgspec.structs.replace(message, **{field: delivery})
        self.behind = delivery.behind
        return self._next_laden()

    def _next_laden(self) -> Message | None:
        """The message whose attachments were still to come, once they are there."""
        assert self.behind is not None
        while (target := self.behind.target) is not None:
            count = self._reader.take(target)
            if not count:
                return None
            self.behind.advance(count)
        message, self._laden, self.behind = self._laden, None, None
        return message

    def messages(self) -> Iterator[Any]:
        """All messages that have arrived whole."""
        while (message := self.next_message()) is not None:
            yield message
        self._is_mid_frame = self._reader.is_mid_frame or self.behind is not None

    def end_of_stream(self) -> None:
        """Note that no more bytes will come.

        Raises:
            RemoteProtocolError: the stream ended within a frame.
        """
        self._phase = Phase.CLOSED
        if self._reader.is_mid_frame or self.behind is not None:
            raise RemoteProtocolError("the connection ended in the middle of a message")

    def _after(self, message: Message, own: frozenset[type], error: type[ProtocolError]) -> Phase:
        """The phase that a message leads to, if it is one of its sender's own and in turn."""
        kind = type(message)
        if kind in own:
            if self._phase is _OPEN and kind not in _HANDSHAKE:
                return _OPEN
            phase = TRANSITIONS[self._phase].get(kind)
            if phase is not None:
                return phase
        raise error(f"{kind.__name__} while {self._phase.value}; expected {self._expected(own)}")

    def _expected(self, own: frozenset[type]) -> str:
        if self._phase is Phase.OPEN:
            return "no more greetings and only what is the sender's to say"
        allowed = own & TRANSITIONS[self._phase].keys()
        return " or ".join(sorted(kind.__name__ for kind in allowed)) or "nothing"


def parcel_of(message: Message) -> Parcel | None:
    """The value of a message that is to be sent, if it has attachments."""
    value = getattr(message, VALUE_FIELDS.get(type(message), ""), None)
    return value if isinstance(value, Parcel) else None


def negotiate(hello: Hello, versions: Iterable[int] = PROTOCOL_VERSIONS) -> Welcome | Refused:
    """The manager's answer to a host: the newest version that both speak."""
    if hello.cookie != COOKIE:
        return Refused(reason="that is not a nebula_lab plugin host")
    ours = list(versions)
    common = set(ours) & set(hello.versions)
    if common:
        return Welcome(version=max(common))
    return Refused(
        reason=f"the host speaks protocol {_listed(hello.versions)}, "
        f"the manager {_listed(ours)}: install the same nebula_lab in both environments"
    )


def _listed(versions: Iterable[int]) -> str:
    return ", ".join(str(version) for version in versions) or "none"
