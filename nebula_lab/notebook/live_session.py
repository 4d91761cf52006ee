"""The live side of a notebook: what widgets and the sidebar are connected to.

Imported when the first of them comes, since few sessions that load the extension show one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from nebula_lab.live.hub import LiveHub
from nebula_lab.live.session import LiveSession
from nebula_lab.manager import PluginManager


class NotebookLive:
    """Has the hub of one notebook, and knows when a cell keeps messages from arriving.

    Args:
        shell: the `InteractiveShell` that loaded the extension.
        manager: gives the manager of the notebook.
    """

    def __init__(self, shell: Any, manager: Callable[[], PluginManager]) -> None:
        self._shell = shell
        self._cell_runs = False
        self._hub = LiveHub(manager, is_deaf=lambda: self._cell_runs)
        self._comms: set[Any] = set()
        # Every message of a comm fires `pre_execute` and `post_execute`; these are cells alone.
        shell.events.register("pre_run_cell", self._begin_cell)
        shell.events.register("post_run_cell", self._end_cell)

    def connect(self, comm: Any) -> LiveSession:
        """Be at work for the front end at the other end of a comm, until the comm is closed."""
        release_subshell(comm)
        session = self._hub.open(lambda message: comm.send(message))
        comm.on_msg(lambda message: session.receive(message["content"]["data"]))
        comm.on_close(lambda message: self._closed(comm, session))
        self._comms.add(comm)
        return session

    def open(self, send: Callable[[dict[str, Any]], object]) -> LiveSession:
        """Be at work for a front end that messages reach by `send`."""
        return self._hub.open(send)

    def follow(self, manager: PluginManager) -> None:
        """Show another manager from now on."""
        self._hub.feed.follow(manager)

    def close(self) -> None:
        """End every session."""
        self._shell.events.unregister("pre_run_cell", self._begin_cell)
        self._shell.events.unregister("post_run_cell", self._end_cell)
        self._hub.close()
        for comm in self._comms:
            comm.close()  # so that a sidebar does not wait for what never comes
        self._comms.clear()

    def _closed(self, comm: Any, session: LiveSession) -> None:
        self._comms.discard(comm)
        session.close()

    def _begin_cell(self, info: Any) -> None:
        self._cell_runs = True

    def _end_cell(self, result: Any) -> None:
        self._cell_runs = False


def release_subshell(comm: Any) -> None:
    """Have messages of a front end handled in the subshell that it sent them to, and as no cells.

    ipykernel 7.4 sends what arrives on a comm to the shell of whoever wrote to that comm last. A
    thread of ours counts as the main shell, so a click would wait there for the cell that runs.

    And each message fires `pre_execute` and `post_execute` as if it were a cell: `%matplotlib
    inline` would show and close, in the subshell and so under no cell, the figures that the cell
    that runs meanwhile is still drawing.
    """
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda data, default: default
    comm.handle_msg = partial(_handle, comm)


def _handle(comm: Any, message: dict[str, Any]) -> None:
    if comm._msg_callback is not None:
        comm._msg_callback(message)
