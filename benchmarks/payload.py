"""What is sent: the same for every contender."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

# 100 bytes as JSON.
PARAMS: dict[str, Any] = {"text": "x" * 41, "number": 12345, "flags": [True, False, None]}
MEGABYTE = 2**20


def float_array(megabytes: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Floats of which no two pages are the same, all of them in memory."""
    import numpy as np

    return np.arange(megabytes * MEGABYTE // 8, dtype=np.float64)


def touch(array: np.ndarray[Any, Any]) -> None:
    """Read a word of each page, so that a mapping that is filled on demand is paid for."""
    array.reshape(-1)[:: 4096 // array.itemsize].max()
