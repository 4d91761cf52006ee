"""Runs a coroutine on the main thread's event loop so that SIGINT can stop it wherever it is.

While it waits, cancelling its task is enough. While it computes or blocks, only an exception from
the signal's handler stops it, and that exception must come up within the coroutine's own frames:
one that reached the event loop would end the loop, and the host with it.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from nebula_lab.agent.job import EscapedError

if TYPE_CHECKING:
    from nebula_lab.agent.server import Server


class Stoppable(Protocol):
    """What runs on the main thread now.

    Attributes:
        call: the manager's number for it; 0 where it is no call.
    """

    @property
    def call(self) -> int: ...

    def is_to_stop(self) -> bool:
        """Whether it is to be interrupted; True once for each interrupt."""


class Steps:
    """An awaitable that runs `coroutine` and tells the server of each of its steps.

    Raises:
        EscapedError: a KeyboardInterrupt or SystemExit came out of it, which no task may raise;
            it is the cause.
    """

    def __init__(
        self, coroutine: Coroutine[Any, Any, Any], server: Server, owner: Stoppable
    ) -> None:
        self.coroutine = coroutine
        self._server = server
        self._owner = owner

    def __await__(self) -> Generator[Any, Any, Any]:
        # The handler of SIGINT raises nothing while this very frame runs: see OUR_FRAME.
        server, step, argument = self._server, self.coroutine.send, None
        guard = server.guard_step
        while True:
            outer, server.on_main = server.on_main, self._owner
            server.executing[0] = self._owner.call
            try:
                if guard is None:
                    awaited = step(argument)
                else:
                    awaited = guard(self._owner, partial(step, argument))
            except StopIteration as stop:
                return stop.value
            except (KeyboardInterrupt, SystemExit) as error:
                raise EscapedError from error
            finally:
                server.on_main = outer
                server.executing[0] = 0 if outer is None else outer.call
            try:
                step, argument = self.coroutine.send, (yield awaited)
            except BaseException as error:  # noqa: BLE001 - it is for the coroutine to handle
                step, argument = self.coroutine.throw, error


OUR_FRAME = Steps.__await__.__code__
