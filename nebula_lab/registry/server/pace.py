"""How fast a body has to come, for whoever sends it to keep its place."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Pace"]


class Pace(Struct, frozen=True):
    """Bounds on how slowly a request's body may come.

    Attributes:
        silence: seconds within which something has to come. Nobody who really uploads is silent
            for longer; who only holds a connection is.
        grace: seconds that a body may take however small it is.
        slowest: bytes a second that it has to come at from then on, over all of it. Without this,
            a byte now and then would hold a place for ever.
    """

    silence: float = 30.0
    grace: float = 60.0
    slowest: float = 16 * 1024.0

    def seconds_for(self, count: int) -> float:
        """Seconds from the beginning of a body within which more than so many bytes must come."""
        return self.grace + count / self.slowest
