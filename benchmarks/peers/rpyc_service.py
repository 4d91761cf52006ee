"""rpyc over a Unix socket. It passes references; values travel as bytes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from benchmarks.contender import Run
from benchmarks.payload import PARAMS, float_array, touch
from benchmarks.served import forked_at_path


def _serve(path: str) -> None:
    import rpyc
    from rpyc.utils.server import ThreadedServer

    class Mirror(rpyc.Service):
        def exposed_echo(self, value: Any) -> Any:
            return value

    ThreadedServer(Mirror, socket_path=path).start()


@contextlib.contextmanager
def _connected() -> Iterator[Any]:
    with forked_at_path(_serve) as path:
        from rpyc.utils.factory import unix_connect

        connection = unix_connect(path)
        try:
            yield connection.root
        finally:
            connection.close()


@contextlib.contextmanager
def echo() -> Iterator[Run]:
    """JSON text both ways: a dict would be passed by reference, a round trip for each look."""
    import json

    with _connected() as service:
        yield lambda: json.loads(service.echo(json.dumps(PARAMS)))


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    import numpy as np

    sent = float_array(megabytes)
    with _connected() as service:
        yield lambda: touch(np.frombuffer(service.echo(sent.tobytes())))
