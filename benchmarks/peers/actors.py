"""A Dask actor: one worker in a process of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from benchmarks.contender import Run
from benchmarks.payload import PARAMS, float_array, touch


class Mirror:
    """The actor."""

    def echo(self, value: Any) -> Any:
        return value


@contextlib.contextmanager
def _actor() -> Iterator[Any]:
    import dask
    from distributed import Client

    settings = {"distributed.admin.tick.interval": "1s"}  # else it wakes up every 20 ms
    with (
        dask.config.set(settings),
        Client(n_workers=1, threads_per_worker=1, dashboard_address=None) as client,
    ):
        yield client.submit(Mirror, actor=True).result()


@contextlib.contextmanager
def echo() -> Iterator[Run]:
    with _actor() as actor:
        yield lambda: actor.echo(PARAMS).result()


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    sent = float_array(megabytes)
    with _actor() as actor:
        yield lambda: touch(actor.echo(sent).result())
