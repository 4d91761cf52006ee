"""Cells that a Jupyter console sends, as the main thread runs them."""

from __future__ import annotations

import contextvars
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.steps import Steps

if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future

    from nebula_lab.agent.server import Server


current_cell: ContextVar[ConsoleCell | None] = ContextVar("nebula_lab_current_cell", default=None)


class CellStoppedError(Exception):
    """A cell ended by something that IPython did not report as the cell's own error."""


class ConsoleCell:
    """One cell, on its way from the kernel's thread to the main thread.

    Args:
        coroutine: runs it.
        server: is told while it runs.

    Attributes:
        context: what it is to run in, with the console's request.
        done: gives the coroutine's result, or CellStoppedError.
    """

    call = 0  # it is none of the manager's

    def __init__(self, coroutine: Coroutine[Any, Any, Any], server: Server) -> None:
        from concurrent.futures import Future  # few hosts ever have a cell

        self._coroutine = coroutine
        self._server = server
        self._interrupted = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None
        self.context = contextvars.copy_context()
        self.context.run(current_cell.set, self)
        self.done: Future[Any] = Future()

    async def run(self) -> None:
        """Run it on this thread, which has an event loop."""
        import asyncio  # it takes as long as all else here

        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        try:
            self.done.set_result(await Steps(self._coroutine, self._server, self))
        except BaseException as error:  # noqa: BLE001 - the kernel's thread reports it
            stopped = CellStoppedError(f"the cell was ended by {type(error).__name__}")
            stopped.__cause__ = error
            self.done.set_exception(stopped)
        finally:
            self._loop = None

    def interrupt(self) -> None:
        """Stop it, in whatever it does or waits for; from the kernel's thread.

        A SIGINT must follow, to have it noticed while the cell computes.
        """
        loop = self._loop
        if loop is not None:
            self._interrupted = True
            loop.call_soon_threadsafe(self._stop_waiting)

    def is_to_stop(self) -> bool:
        interrupted, self._interrupted = self._interrupted, False
        return interrupted

    def _stop_waiting(self) -> None:
        # The loop has come to run this, so the cell waits; unless it has been stopped meanwhile.
        if self._task is not None and self.is_to_stop():
            self._task.cancel()
