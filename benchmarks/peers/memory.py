"""memcpy: what moving bytes costs when nobody is in between."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from benchmarks.contender import Run
from benchmarks.payload import float_array, touch


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    """One copy there and one back, into memory that is there already."""
    import numpy as np

    sent = float_array(megabytes)
    there, back = sent.copy(), sent.copy()

    def call() -> None:
        np.copyto(there, sent)
        np.copyto(back, there)
        touch(back)

    yield call
