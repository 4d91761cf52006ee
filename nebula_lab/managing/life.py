"""A manager's own life: it is put together, is closed, and is no more in a fork."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import weakref
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Self

from nebula_lab.errors import ManagerClosedError, PluginError
from nebula_lab.model import PluginConfig
from nebula_lab.model.quantities import LONGEST_WAIT
from nebula_lab.runtime.groundwork import Groundwork
from nebula_lab.runtime.output import OutputSink

if TYPE_CHECKING:
    from nebula_lab.runtime.engine import Engine


class ManagerLife:
    """What every part of a manager stands on.

    Args:
        config: with absolute paths.
        output: shows what plugins print.
    """

    def __init__(self, config: PluginConfig, output: OutputSink) -> None:
        self.config = config
        self.output = output
        self._closing = threading.Lock()
        self._closed = self._ended = False
        self._is_forks = False  # this process is a fork of the one that owns the plugins
        self._ground = Groundwork(self.config, lambda: self.output)
        _open_managers.add(self)

    @cached_property
    def _engine(self) -> Engine:
        """What runs plugins; it is put together when it is first needed."""
        return self._ground.engine()

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """End every plugin's process and remove every temporary file. Can be called again."""
        if self._is_forks:
            return
        self._closed = True
        if not self._closing.acquire(blocking=False):
            return  # another thread is at it
        try:
            if not self._ended:
                self._ground.close()
                self._ended = True  # unless it was interrupted: the next `close` finishes it
                _open_managers.discard(self)
        finally:
            self._closing.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ManagerClosedError("the manager has been closed")
        if self._is_forks:
            raise ManagerClosedError(
                "the manager belongs to the process that this one was forked from",
                hint="Make a manager of its own in this process.",
            )


_open_managers: weakref.WeakSet[ManagerLife] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    for manager in list(_open_managers):
        with contextlib.suppress(PluginError):
            manager.close()


def _disown_all() -> None:
    for manager in list(_open_managers):
        manager._is_forks = True
        manager._ground.disown()


os.register_at_fork(after_in_child=_disown_all)


def seconds(timeout: float) -> float:
    """A time-out that makes sense.

    Raises:
        ValueError: it does not.
    """
    is_number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if not is_number or not 0 < timeout <= LONGEST_WAIT:
        raise ValueError(
            f"timeout must be a number of seconds above 0 and at most {LONGEST_WAIT} (24 days), "
            f"not {timeout!r}"
        )
    return timeout
