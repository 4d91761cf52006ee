"""Several things at the same time, which end together when one of them fails or is interrupted."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from nebula_lab.registry.client.requests import Requests, StoppedError

__all__ = ["Tell", "all_together"]

Item = TypeVar("Item")
Result = TypeVar("Result")
# Has something said on the caller's thread.
Tell = Callable[..., None]


def all_together(
    act: Callable[[Item, Tell], Result],
    items: Sequence[Item],
    at_once: int,
    requests: Requests,
    tell: Callable[..., object] = lambda *_: None,
) -> list[Result]:
    """What `act` gives for each item, in their order.

    Args:
        act: does one, on a thread of its own; is given a function to tell how far it is.
        items: what to do.
        at_once: how many at the same time.
        requests: what `act` sends; those under way are ended when one fails.
        tell: is called on this thread with what was told.

    Raises:
        Exception: what the first that failed raised, once all have ended.
    """
    told: queue.SimpleQueue[tuple[Any, ...] | Future[Result]] = queue.SimpleQueue()

    def say(*words: Any) -> None:
        told.put(words)

    try:
        with ThreadPoolExecutor(max(1, min(at_once, len(items))), "nebula-registry") as threads:
            futures = [threads.submit(act, item, say) for item in items]
            for future in futures:
                future.add_done_callback(told.put)
            try:
                _listen(told, len(futures), tell)
            except BaseException:
                requests.stop()
                for future in futures:
                    future.cancel()
                raise
    finally:
        requests.resume()
    return [future.result() for future in futures]


def _listen(told: queue.SimpleQueue[Any], count: int, tell: Callable[..., object]) -> None:
    """Pass on what is told, until all have ended or one has failed."""
    while count:
        said = told.get()
        if not isinstance(said, Future):
            tell(*said)
            continue
        count -= 1
        error = said.exception()
        if error is not None and not isinstance(error, StoppedError):
            raise error
