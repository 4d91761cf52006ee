"""Frames come out whole, however the bytes came in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nebula_lab.wire.errors import LocalProtocolError, RemoteProtocolError
from nebula_lab.wire.framing import MAX_FRAME_SIZE, FrameReader, frame

DETERMINED = settings(derandomize=True, deadline=None, max_examples=150)


def payloads_of(reader):
    found = []
    while (payload := reader.next_payload()) is not None:
        found.append(payload)
    return found


@DETERMINED
@given(st.lists(st.binary(max_size=40), max_size=8), st.lists(st.integers(1, 13), min_size=1))
def test_any_chunking_gives_the_same_payloads(payloads, sizes):
    data, reader, found, at, turn = b"".join(map(frame, payloads)), FrameReader(), [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        reader.feed(data[at : at + size])
        found += payloads_of(reader)
        at, turn = at + size, turn + 1
    assert (found, reader.is_mid_frame) == (payloads, False)


def test_an_announced_size_of_four_gigabytes_is_refused_before_anything_is_kept():
    reader = FrameReader()
    reader.feed(b"\xff\xff\xff\xff")
    with pytest.raises(RemoteProtocolError, match="4,294,967,295 bytes was announced"):
        reader.next_payload()


def test_a_refused_size_stays_refused():
    reader = FrameReader(max_size=3)
    reader.feed(b"\0\0\0\4abcd")
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            reader.next_payload()


@pytest.mark.parametrize("size", [0, 1, 3])
def test_a_payload_up_to_the_limit_is_taken(size):
    reader = FrameReader(max_size=3)
    reader.feed(frame(b"x" * size))
    assert reader.next_payload() == b"x" * size


def test_a_payload_over_the_limit_is_not_sent():
    with pytest.raises(LocalProtocolError, match="larger than"):
        frame(bytes(MAX_FRAME_SIZE + 1))


@pytest.mark.parametrize("cut", [1, 3, 4, 6])
def test_a_stream_that_ends_within_a_frame_is_seen_to(cut):
    reader = FrameReader()
    reader.feed(frame(b"abc")[:cut])
    assert (reader.next_payload(), reader.is_mid_frame) == (None, True)
