"""One thing that was tried."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Verdict(StrEnum):
    """What came of trying it."""

    FINE = "fine"
    NOTE = "note"  # plugins run all the same
    GAP = "gap"


class Finding(Struct, frozen=True):
    """One thing that was tried.

    Attributes:
        name: such as "content store".
        verdict: what came of it.
        detail: what there is, or what went wrong.
        cure: what to do about it; empty where it is fine.
    """

    name: str
    verdict: Verdict
    detail: str
    cure: str = ""
