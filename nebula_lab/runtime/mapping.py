"""One operation over many params, as many at once as a plugin takes."""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any

Params = Mapping[str, Any]


def map_calls(
    call: Callable[[Params], Any], params_list: Iterable[Params], *, at_once: int
) -> Iterator[Any]:
    """The results, in the order of the params; the first error ends it."""
    if at_once == 1:
        return (call(params) for params in params_list)
    return _map_on_threads(call, iter(params_list), at_once)


def _map_on_threads(
    call: Callable[[Params], Any], params_list: Iterator[Params], at_once: int
) -> Iterator[Any]:
    context = contextvars.copy_context()
    with ThreadPoolExecutor(at_once, "nebula-map") as pool:

        def submit(params: Params) -> Future[Any]:
            # A context can be entered once at a time, so that each call needs a copy.
            return pool.submit(context.copy().run, call, params)

        # Twice as many as run, so that a host that is done finds its next call waiting.
        running = deque(submit(params) for params in islice(params_list, 2 * at_once))
        try:
            while running:
                result = running.popleft().result()
                running.extend(submit(params) for params in islice(params_list, 1))
                yield result
        finally:
            for future in running:
                future.cancel()
