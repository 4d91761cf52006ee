"""Durations and sizes, as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from nebula_lab.model import ByteCount, Seconds, parse_byte_count, parse_seconds

DURATIONS = [
    (30, 30.0),
    (0, 0.0),
    (0.25, 0.25),
    ("30s", 30.0),
    ("500ms", 0.5),
    ("250us", 0.00025),
    ("2m", 120.0),
    ("2min", 120.0),
    ("1h", 3600.0),
    ("1d", 86400.0),
    ("1.5s", 1.5),
    ("1h 30m", 5400.0),
    ("1h30m5s", 5405.0),
    (" 30 s ", 30.0),
    (timedelta(minutes=1), 60.0),
]
NO_DURATIONS = [
    "",
    "30",
    "s",
    "30 parsecs",
    "-5s",
    "5s later",
    "1e3s",
    -1,
    True,
    None,
    [],
    float("nan"),
    float("inf"),
    10**400,
    "25d",
    timedelta(seconds=-1),
]
SIZES = [
    (104857600, 104857600),
    (1024.0, 1024),
    ("100MB", 100_000_000),
    ("100MiB", 104_857_600),
    ("100 MiB", 104_857_600),
    ("1GiB", 2**30),
    ("512KB", 512_000),
    ("512kB", 512_000),
    ("512kb", 512_000),
    ("1KiB", 1024),
    ("1TiB", 2**40),
    ("1.5GiB", 3 * 2**29),
    ("7B", 7),
    ("0B", 0),
]
NO_SIZES = [
    "",
    "100",
    "MB",
    "100 M",
    "-1MB",
    "0.5B",
    1.5,
    -1,
    True,
    None,
    {},
    float("nan"),
    float("inf"),
    2**63,
    "9999999TiB",
]


@pytest.mark.parametrize(("written", "seconds"), DURATIONS, ids=repr)
def test_a_duration_is_read_in_seconds(written, seconds):
    assert TypeAdapter(Seconds).validate_python(written) == seconds


@pytest.mark.parametrize("written", NO_DURATIONS, ids=repr)
def test_what_is_no_duration_is_refused(written):
    with pytest.raises(ValidationError):
        TypeAdapter(Seconds).validate_python(written)


@pytest.mark.parametrize(("written", "size"), SIZES, ids=repr)
def test_a_size_is_read_in_bytes(written, size):
    read = TypeAdapter(ByteCount).validate_python(written)
    assert read == size
    assert type(read) is int


@pytest.mark.parametrize("written", NO_SIZES, ids=repr)
def test_what_is_no_size_is_refused(written):
    with pytest.raises(ValidationError):
        TypeAdapter(ByteCount).validate_python(written)


def test_a_duration_without_a_unit_is_told_the_forms():
    with pytest.raises(ValueError, match="30s, 500ms, 2m or 1h, found '30'"):
        parse_seconds("30")


def test_an_unknown_unit_is_named_with_the_known_ones():
    with pytest.raises(ValueError, match=r"unknown unit 'M' in '100M'; known: b, kb, mb"):
        parse_byte_count("100M")


def test_a_refused_value_is_not_shown_at_length():
    with pytest.raises(ValueError, match="…") as caught:
        parse_byte_count("x" * 10_000)
    assert len(str(caught.value)) < 300
