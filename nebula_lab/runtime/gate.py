"""Whether a plugin's places are handed out."""

from __future__ import annotations

from enum import Enum, auto


class Gate(Enum):
    """The ways of a plugin's `Slots`; each but the first keeps calls waiting.

    Attributes:
        OPEN: whoever comes first has the next place.
        DRAINING: those that run come to their end; a call that can't wait is admitted beside them.
        SEALED: none runs, and something is done meanwhile that is given up for one that can't wait.
        SETTLED: it is done, and its end waits for nobody.
    """

    OPEN = auto()
    DRAINING = auto()
    SEALED = auto()
    SETTLED = auto()
