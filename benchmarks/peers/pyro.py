"""Pyro5 over a Unix socket, with its own serializers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from benchmarks.contender import Run
from benchmarks.payload import PARAMS, float_array, touch
from benchmarks.served import forked_at_path


def _serve(path: str) -> None:
    import Pyro5.api

    @Pyro5.api.expose
    class Mirror:
        def echo(self, value: Any) -> Any:
            return value

    daemon = Pyro5.api.Daemon(unixsocket=path)
    daemon.register(Mirror(), "mirror")
    daemon.requestLoop()


@contextlib.contextmanager
def _connected(serializer: str) -> Iterator[Any]:
    with forked_at_path(_serve) as path:
        import Pyro5.api

        with Pyro5.api.Proxy(f"PYRO:mirror@./u:{path}") as proxy:
            proxy._pyroSerializer = serializer
            yield proxy


@contextlib.contextmanager
def echo() -> Iterator[Run]:
    """With serpent, its default."""
    with _connected("serpent") as proxy:
        yield lambda: proxy.echo(PARAMS)


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    """With msgpack, which carries bytes as they are."""
    import numpy as np

    sent = float_array(megabytes)
    with _connected("msgpack") as proxy:
        yield lambda: touch(np.frombuffer(proxy.echo(sent.tobytes())))
