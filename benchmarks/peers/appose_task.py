"""Appose: tasks as JSON lines to a worker, arrays in shared memory."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.contender import Run
from benchmarks.payload import PARAMS, float_array, touch


@contextlib.contextmanager
def _worker() -> Iterator[Any]:
    import appose

    with appose.custom().base(sys.prefix).build().python() as service:
        yield service


@contextlib.contextmanager
def echo() -> Iterator[Run]:
    with _worker() as service:

        def call() -> Any:
            return service.task("value", {"value": PARAMS}).wait_for().outputs

        yield call


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    """Copied into a segment that is used again and again, and out of it afterwards."""
    import numpy as np
    from appose import NDArray

    sent = float_array(megabytes)
    received = sent.copy()
    with _worker() as service, NDArray("float64", list(sent.shape)) as shared:
        view = shared.ndarray()

        def call() -> None:
            np.copyto(view, sent)
            service.task("float(value.ndarray()[-1])", {"value": shared}).wait_for()
            np.copyto(received, view)
            touch(received)

        yield call
