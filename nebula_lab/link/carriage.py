"""Which way arrays go, for this machine and this end of a channel."""

from __future__ import annotations

from nebula_lab.link.borrower import Borrower
from nebula_lab.link.freight import Freight
from nebula_lab.link.lender import Lender
from nebula_lab.link.segment import SUPPORTED
from nebula_lab.link.warm_memory import WarmMemory
from nebula_lab.wire.protocol import Side

# Of results that have been dropped, so many bytes are kept for the next ones.
_KEPT_WARM = 256 * 1024 * 1024


def freight_of(side: Side) -> Freight:
    """Shared memory where the system has it; elsewhere the socket."""
    if side is Side.MANAGER:
        memory = WarmMemory(_KEPT_WARM)
        return Lender(memory) if SUPPORTED else Freight(memory)
    # What comes on the socket is rare here, or nothing is fast anyway.
    memory = WarmMemory(0)
    return Borrower(memory) if SUPPORTED else Freight(memory, is_trusted=True)
