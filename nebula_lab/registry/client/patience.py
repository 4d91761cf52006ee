"""How long a registry may take, and how often it is asked."""

from __future__ import annotations

from msgspec import Struct

__all__ = ["Patience"]


class Patience(Struct, frozen=True):
    """Bounds on waiting.

    Attributes:
        connect: seconds until a connection must stand.
        silence: seconds within which a registry must say something.
        document: seconds until a document must be here as a whole.
        slowest: bytes a second that an archive must come at, over all of it.
        attempts: how often one thing is asked for, as long as it fails in a way that may pass.
        first_pause: seconds between the first two attempts, twice as many between the next, each
            with a part left to chance.
        longest_pause: seconds; a registry that asks to be left alone for longer is not waited for.
        at_once: downloads at the same time.
    """

    connect: float = 10.0
    silence: float = 20.0
    document: float = 60.0
    slowest: float = 4096.0
    attempts: int = 4
    first_pause: float = 0.3
    longest_pause: float = 20.0
    at_once: int = 6

    def for_archive(self, size: int) -> float:
        """Seconds until an archive of so many bytes must be here."""
        return self.document + size / self.slowest
