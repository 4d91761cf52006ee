"""Durations and sizes as people write them: `30s`, `500ms`, `100MB`, `1GiB`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Annotated

from pydantic import PlainValidator

__all__ = ["Seconds", "ByteCount", "parse_seconds", "parse_byte_count"]

_SECONDS_IN = {
    "us": Fraction(1, 1_000_000),
    "ms": Fraction(1, 1000),
    "s": Fraction(1),
    "m": Fraction(60),
    "min": Fraction(60),
    "h": Fraction(3600),
    "d": Fraction(86400),
}
_BYTES_IN = {
    "b": 1,
    **{f"{prefix}b": 1000**power for power, prefix in enumerate("kmgt", start=1)},
    **{f"{prefix}ib": 1024**power for power, prefix in enumerate("kmgt", start=1)},
}
# poll(2) counts milliseconds in a signed 32-bit integer: no wait can be longer than that.
LONGEST_WAIT = (2**31 - 1) // 1000
# rlimits are signed 64-bit integers where they are narrowest.
_LARGEST_BYTES = 2**63 - 1
_QUANTITY = re.compile(r"(?P<number>[0-9]{1,20}(?:\.[0-9]{1,20})?)\s*(?P<unit>[A-Za-z]+)\s*")

_DURATION_FORM = "a number of seconds, or text such as 30s, 500ms, 2m or 1h"
_SIZE_FORM = "a number of bytes, or text such as 100MB (10^6), 100MiB (2^20) or 1GiB"


def parse_seconds(value: object) -> float:
    """A duration in seconds, from a number, a timedelta, or text such as `30s` or `1h30m`.

    Raises:
        ValueError: it is none of these, negative, not finite, or longer than a wait can be.
    """
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, str):
        seconds = float(_sum_of(value, _SECONDS_IN, _DURATION_FORM))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = _as_float(value)
    else:
        raise ValueError(f"expected {_DURATION_FORM}, found {_shown(value)}")
    if not 0 <= seconds <= LONGEST_WAIT:  # False for NaN as well
        raise ValueError(
            f"a duration is from 0 to {LONGEST_WAIT} seconds (24 days), found {_shown(value)}"
        )
    return seconds


def parse_byte_count(value: object) -> int:
    """A size in bytes, from a number or text such as `100MB` (10^6) or `1GiB` (2^30).

    Raises:
        ValueError: it is neither, negative, not a whole number of bytes, or over 2^63-1.
    """
    if isinstance(value, str):
        size = _sum_of(value, {unit: Fraction(n) for unit, n in _BYTES_IN.items()}, _SIZE_FORM)
    elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"expected {_SIZE_FORM}, found {_shown(value)}")
    else:
        size = Fraction(value)
    if size.denominator != 1:
        raise ValueError(f"expected a whole number of bytes, found {_shown(value)}")
    if not 0 <= size <= _LARGEST_BYTES:
        raise ValueError(f"a size is from 0 to 2^63-1 bytes, found {_shown(value)}")
    return int(size)


def _sum_of(text: str, units: Mapping[str, Fraction], form: str) -> Fraction:
    """The value of `1h 30m`: each number times its unit, added up."""
    rest = text.strip()
    total = Fraction(0)
    if not rest:
        raise ValueError(f"expected {form}, found empty text")
    while rest:
        match = _QUANTITY.match(rest)
        if match is None:
            raise ValueError(f"expected {form}, found {_shown(text)}")
        # Sizes are written kB, KB and Mb alike; nobody means bits here.
        unit = units.get(match["unit"]) or units.get(match["unit"].lower())
        if unit is None:
            known = ", ".join(units)
            raise ValueError(f"unknown unit {match['unit']!r} in {_shown(text)}; known: {known}")
        total += Fraction(match["number"]) * unit
        rest = rest[match.end() :]
    return total


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # an integer beyond what a float holds
        return math.inf


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


Seconds = Annotated[float, PlainValidator(parse_seconds, json_schema_input_type=float | str)]
"""A pydantic field in seconds; reads what `parse_seconds` reads."""

ByteCount = Annotated[int, PlainValidator(parse_byte_count, json_schema_input_type=int | str)]
"""A pydantic field in bytes; reads what `parse_byte_count` reads."""
