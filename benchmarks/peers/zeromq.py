"""pyzmq, DEALER to ROUTER over a Unix socket."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from benchmarks.contender import Run
from benchmarks.payload import PARAMS, float_array, touch
from benchmarks.served import forked_at_path


def _serve(path: str) -> None:
    import zmq

    router = zmq.Context().socket(zmq.ROUTER)
    router.bind(f"ipc://{path}")
    while True:
        router.send_multipart(router.recv_multipart(copy=False), copy=False)


@contextlib.contextmanager
def _connected() -> Iterator[Any]:
    with forked_at_path(_serve) as path:
        import zmq

        with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
            dealer.linger = 0
            dealer.connect(f"ipc://{path}")
            yield dealer


@contextlib.contextmanager
def echo() -> Iterator[Run]:
    """msgpack there and back, read and written anew at this end only."""
    import msgspec

    encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder().decode
    with _connected() as dealer:

        def call() -> Any:
            dealer.send(encode(PARAMS))
            return decode(dealer.recv())

        yield call


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    """An array's bytes there and back, without a copy where pyzmq can do without."""
    import numpy as np

    sent = float_array(megabytes)
    with _connected() as dealer:

        def call() -> None:
            dealer.send(sent, copy=False)
            touch(np.frombuffer(dealer.recv(copy=False).buffer))

        yield call
