"""Times and sizes as people read them."""

from __future__ import annotations

from datetime import datetime

NOTHING = "—"


def moment(at: datetime | None) -> str:
    """Local time to the second."""
    return NOTHING if at is None else f"{at.astimezone():%Y-%m-%d %H:%M:%S}"


def duration(seconds: float | None) -> str:
    """Seconds as `0.04 ms`, `12.00 ms` or `3.50 s`."""
    if seconds is None:
        return NOTHING
    return f"{seconds:,.2f} s" if seconds >= 1 else f"{seconds * 1000:.2f} ms"


def size(count: int | None) -> str:
    """Bytes as `14.8 MiB`."""
    if count is None:
        return NOTHING
    amount = float(count)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:,.0f} {unit}" if unit == "B" else f"{amount:,.1f} {unit}"
        amount /= 1024
    return f"{amount:,.1f} GiB"


def counted(number: int, noun: str) -> str:
    """`1 problem`, `2 problems`, `no problems`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
