"""grpcio over a Unix socket: a unary method that carries bytes."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks.contender import Run
from benchmarks.payload import PARAMS, float_array, touch
from benchmarks.served import forked_at_path

UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


def _serve(path: str) -> None:
    import grpc

    mirror = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    server = grpc.server(ThreadPoolExecutor(1), options=UNLIMITED)
    handlers = grpc.method_handlers_generic_handler("bench.Mirror", {"Echo": mirror})
    server.add_generic_rpc_handlers((handlers,))
    server.add_insecure_port(f"unix:{path}")
    server.start()
    threading.Event().wait()  # until it is killed


@contextlib.contextmanager
def _connected() -> Iterator[Any]:
    with forked_at_path(_serve) as path:
        import grpc

        with grpc.insecure_channel(f"unix:{path}", options=UNLIMITED) as channel:
            yield channel.unary_unary("/bench.Mirror/Echo")


@contextlib.contextmanager
def echo() -> Iterator[Run]:
    """With JSON in it: protocol buffers would need a description of this very dict."""
    import json

    with _connected() as call:
        yield lambda: json.loads(call(json.dumps(PARAMS).encode()))


@contextlib.contextmanager
def array(megabytes: int) -> Iterator[Run]:
    import numpy as np

    sent = float_array(megabytes)
    with _connected() as call:
        yield lambda: touch(np.frombuffer(call(sent.tobytes())))
