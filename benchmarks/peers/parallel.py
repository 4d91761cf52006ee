"""ipyparallel: one engine under a controller."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks.contender import Run
from benchmarks.payload import PARAMS, float_array, touch


def _mirror(value: Any) -> Any:
    return value


@contextlib.contextmanager
def _engine() -> Iterator[Any]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.environ["IPYTHONDIR"] = folder  # in this contender's own process
        import ipyparallel

        with ipyparallel.Cluster(n=1, controller_ip="127.0.0.1", log_level=40) as client:
            yield client[0]


@contextlib.contextmanager
def echo() -> Iterator[Run]:
    with _engine() as engine:
        yield partial(engine.apply_sync, _mirror, PARAMS)


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    sent = float_array(megabytes)
    with _engine() as engine:
        yield lambda: touch(engine.apply_sync(_mirror, sent))
