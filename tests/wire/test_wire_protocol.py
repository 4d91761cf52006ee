"""The order of a conversation, and what is no part of one."""

from __future__ import annotations

import itertools
import struct

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nebula_lab.wire.errors import LocalProtocolError, RemoteProtocolError
from nebula_lab.wire.framing import frame
from nebula_lab.wire.messages import (
    COOKIE,
    PROTOCOL_VERSIONS,
    Call,
    Cancel,
    Credit,
    Display,
    Failure,
    Hello,
    Item,
    Load,
    Loaded,
    Log,
    Output,
    Progress,
    Refused,
    Reply,
    Request,
    Response,
    ResponseFailure,
    Shutdown,
    Stopping,
    Tidings,
    Welcome,
    encode_message,
)
from nebula_lab.wire.protocol import TRANSITIONS, Connection, Phase, Side, negotiate
from nebula_lab.wire.values import NULL, encode_value

HELLO = Hello(COOKIE, [2], 7, "3.11.7")
TO_HOST = [
    Load(1, "p", "/h/p.py", "/p.py", NULL, "/s", 1, 1),
    Call(1, "operation", "x", encode_value({"a": [1, None]}), 0),
    Cancel(1),
    Credit(1, 5),
    Response(1, NULL),
    ResponseFailure(1, "ValueError", "no"),
    Shutdown(),
    Tidings(),
]
TO_MANAGER = [
    Loaded(1, NULL, 1),
    Reply(1, NULL),
    Failure(1, "raised", "ValueError", "no", "Traceback"),
    Item(1, NULL),
    Output(1, "stdout", "hä"),
    Display(1, "display", NULL),
    Log(1, 20, "x", "y"),
    Progress(1, 0.5, None, ""),
    Request(1, 1, "p", "x", NULL, None),
    Stopping(1),
    Tidings(),
]


def connection(side, phase):
    """A connection that has got so far."""
    made = Connection(side)
    for message, sender in [(HELLO, Side.HOST), (Welcome(1), Side.MANAGER)]:
        if made.phase is phase:
            break
        if sender is side:
            made.send(message)
        else:
            made.receive(frame(encode_message(message)))
            made.next_message()
    if phase is Phase.CLOSED:
        made.end_of_stream()
    assert made.phase is phase
    return made


@pytest.mark.parametrize(
    ("side", "message"),
    [(Side.HOST, m) for m in TO_HOST] + [(Side.MANAGER, m) for m in TO_MANAGER],
    ids=lambda value: type(value).__name__,
)
def test_a_message_arrives_as_it_was_sent(side, message):
    sender = connection(Side.MANAGER if side is Side.HOST else Side.HOST, Phase.OPEN)
    receiver = connection(side, Phase.OPEN)
    receiver.receive(sender.send(message))
    assert [msgspec.structs.asdict(m) for m in receiver.messages()] == [
        msgspec.structs.asdict(message)
    ]


# Who may say what, and when: everything that is not here is illegal.
LEGAL = {
    Side.HOST: {
        Phase.GREETING: {Hello, Refused},
        Phase.ANSWERING: {Refused},
        Phase.OPEN: {*map(type, TO_MANAGER)},
        Phase.CLOSED: set(),
    },
    Side.MANAGER: {
        Phase.GREETING: {Refused},
        Phase.ANSWERING: {Welcome, Refused},
        Phase.OPEN: {*map(type, TO_HOST)},
        Phase.CLOSED: set(),
    },
}
ALL = [HELLO, Welcome(1), Refused("no"), *TO_HOST, *TO_MANAGER[:-1]]
TABLE = [
    pytest.param(
        sender, phase, message, id=f"{sender.value}-{phase.value}-{type(message).__name__}"
    )
    for sender, phase, message in itertools.product(Side, Phase, ALL)
]


@pytest.mark.parametrize(("sender", "phase", "message"), TABLE)
def test_only_a_message_in_turn_can_be_sent(sender, phase, message):
    made = connection(sender, phase)
    if type(message) in LEGAL[sender][phase]:
        assert made.send(message)
        assert made.phase is TRANSITIONS[phase].get(type(message), phase)
        return
    with pytest.raises(LocalProtocolError, match=type(message).__name__):
        made.send(message)
    assert made.phase is phase


@pytest.mark.parametrize(("sender", "phase", "message"), TABLE)
def test_only_a_message_in_turn_is_taken(sender, phase, message):
    receiver = connection(Side.HOST if sender is Side.MANAGER else Side.MANAGER, phase)
    receiver.receive(frame(encode_message(message)))
    if type(message) in LEGAL[sender][phase]:
        assert receiver.next_message() is not None
        assert receiver.phase is TRANSITIONS[phase].get(type(message), phase)
        return
    with pytest.raises(RemoteProtocolError):
        receiver.next_message()
    assert receiver.phase is phase


def test_a_conversation_goes_on_after_an_illegal_message():
    made = connection(Side.MANAGER, Phase.OPEN)
    made.receive(frame(encode_message(HELLO)) + frame(encode_message(Output(1, "stdout", "x"))))
    with pytest.raises(RemoteProtocolError):
        made.next_message()
    assert made.next_message() == Output(1, "stdout", "x")


def array(*items):
    return msgspec.msgpack.encode(list(items))


NONSENSE = {
    "nothing": b"",
    "garbage": b"\xc1\xff\x00garbage",
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "truncated": encode_message(Output(1, "stdout", "some text"))[:-3],
    "trailing": encode_message(Output(1, "stdout", "x")) + b"\0",
    "no tag": array(),
    "unknown tag": array(99, 1),
    "negative tag": array(-1, 1),
    "tag of text": array("34", 1, "stdout", "x"),
    "the manager's own": encode_message(Cancel(1)),
    "a map": msgspec.msgpack.encode({"tag": 34}),
    "too few fields": array(34, 1),
    "call of text": array(34, "1", "stdout", "x"),
    "call of nothing": array(34, None, "stdout", "x"),
    "text of bytes": array(34, 1, "stdout", b"x"),
    "bad text": b"\x94\x22\x01\xa6stdout\xa2\xff\xfe",
    "a deep nest": b"\x93\x1f\x01" + b"\x91" * 100_000 + b"\xc0",
    "a deep map": b"\x93\x1f\x01" + b"\x81\xa1a" * 100_000 + b"\xc0",
    "a false array size": b"\x93\x1f\x01\xdd\xff\xff\xff\xff",
    "a false map size": b"\x93\x1f\x01\xdf\xff\xff\xff\xff",
    "a false text size": b"\x94\x22\x01\xa6stdout\xdb\xff\xff\xff\xff",
    "a false bytes size": b"\x93\x1f\x01\xc6\xff\xff\xff\xff",
    "a false extension size": b"\x93\x1f\x01\xc9\xff\xff\xff\xff\x02",
    "a false size of all": b"\xdd\xff\xff\xff\xff",
    "a call of a fraction": b"\x93\x1f\xca\x3f\x00\x00\x00\xc0",
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_is_the_other_sides_fault_and_changes_nothing(name):
    made = connection(Side.MANAGER, Phase.OPEN)
    made.receive(frame(NONSENSE[name]))
    with pytest.raises(RemoteProtocolError):
        made.next_message()
    assert made.phase is Phase.OPEN
    made.receive(frame(encode_message(Output(1, "stdout", "x"))))
    assert made.next_message() == Output(1, "stdout", "x")


def test_a_size_of_four_gigabytes_is_the_other_sides_fault():
    made = connection(Side.MANAGER, Phase.OPEN)
    made.receive(struct.pack(">I", 2**32 - 1) + b"x" * 100)
    with pytest.raises(RemoteProtocolError, match="announced"):
        made.next_message()


def test_an_end_of_the_stream_between_messages_closes_the_connection():
    made = connection(Side.HOST, Phase.OPEN)
    made.end_of_stream()
    assert made.phase is Phase.CLOSED


def test_an_end_of_the_stream_within_a_message_is_the_other_sides_fault():
    made = connection(Side.HOST, Phase.OPEN)
    made.receive(frame(encode_message(Shutdown()))[:-1])
    assert made.next_message() is None
    with pytest.raises(RemoteProtocolError, match="in the middle of a message"):
        made.end_of_stream()


def test_half_a_pair_of_surrogates_is_sent_escaped():
    receiver = connection(Side.MANAGER, Phase.OPEN)
    receiver.receive(connection(Side.HOST, Phase.OPEN).send(Output(1, "stdout", "a\ud83d")))
    assert receiver.next_message().text == "a\\ud83d"


@pytest.mark.parametrize(
    ("theirs", "ours", "agreed"), [([1], (1,), 1), ([3, 2, 1], (1, 2), 2), ([1, 9, 2], (2, 1), 2)]
)
def test_the_newest_version_that_both_speak_wins(theirs, ours, agreed):
    assert negotiate(Hello(COOKIE, theirs, 1, "3.11"), ours) == Welcome(agreed)


@pytest.mark.parametrize("theirs", [[], [2, 3]])
def test_no_version_in_common_is_refused_with_both_lists(theirs):
    answer = negotiate(Hello(COOKIE, theirs, 1, "3.11"), (1,))
    assert isinstance(answer, Refused)
    listed = ", ".join(map(str, theirs)) or "none"
    assert f"the host speaks protocol {listed}, the manager 1" in answer.reason


def test_a_wrong_cookie_is_refused():
    answer = negotiate(Hello("something else", list(PROTOCOL_VERSIONS), 1, "3.11"))
    assert answer == Refused("that is not a nebula_lab plugin host")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_however_the_bytes_are_cut_the_same_messages_arrive(data):
    host = connection(Side.HOST, Phase.OPEN)
    stream = b"".join(frame(encode_message(message)) for message in TO_HOST)
    messages = []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        messages += host.arrived(stream[:size])
        stream = stream[size:]
    assert [encode_message(m) for m in messages] == [encode_message(m) for m in TO_HOST]


@pytest.mark.parametrize("rubbish", [frame(b"\xc1"), frame(encode_message(HELLO)), b"\xff" * 9])
def test_rubbish_in_one_piece_is_refused(rubbish):
    host = connection(Side.HOST, Phase.OPEN)
    with pytest.raises(RemoteProtocolError):
        list(host.arrived(rubbish))


def test_the_messages_before_rubbish_arrive_first():
    host = connection(Side.HOST, Phase.OPEN)
    arrived = []
    with pytest.raises(RemoteProtocolError):
        for message in host.arrived(frame(encode_message(Cancel(1))) + frame(b"\xc1")):
            arrived.append(message)
    assert arrived == [Cancel(1)]
