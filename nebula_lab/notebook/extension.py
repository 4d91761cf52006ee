"""What `%load_ext nebula_lab` puts into a shell, and `%unload_ext` takes out again."""

from __future__ import annotations

import logging
from typing import Any

from nebula_lab.errors import PluginError
from nebula_lab.notebook.completion import MagicCompleter
from nebula_lab.notebook.failures import ErrorDisplay
from nebula_lab.notebook.magics import CELL_NAMES, LINE_NAMES, PluginMagics
from nebula_lab.notebook.session import NotebookSession

PLUGIN_LOGGER = logging.getLogger("nebula_lab.plugin")

# What the sidebar opens a comm to.
COMM_TARGET = "nebula_lab"
# The target of the comm by which a front end sees that we are loaded.
LOADED_TARGET = "nebula_lab.loaded"

# What was saved before a cell, and while it ran.
NEWS_MOMENTS = ("pre_run_cell", "post_run_cell")


def load_ipython_extension(shell: Any) -> None:
    """Set the notebook to work on the current manager.

    A manager that can't start is no reason to go without the magics, which can mend it: then its
    error is shown, and `%plugin config FILE` chooses another.
    """
    unload_ipython_extension(shell)
    session = NotebookSession(shell)
    Installation(session)
    try:
        session.announce()
    except PluginError as error:
        from nebula_lab.views import error_box

        session.show(error_box(error))


def unload_ipython_extension(shell: Any) -> None:
    """Take everything out of the shell again; the manager goes on."""
    magics = shell.magics_manager.registry.pop(PluginMagics.__name__, None)
    if magics is not None:
        magics.uninstall()


class Installation:
    """All that is in a shell because of us.

    Args:
        session: the notebook.
    """

    def __init__(self, session: NotebookSession) -> None:
        self._session = session
        shell = session.shell
        self._errors = ErrorDisplay(shell)
        # The cell shows what plugins log; without a handler, `logging` would show it once more.
        self._quiet = logging.NullHandler()
        PLUGIN_LOGGER.addHandler(self._quiet)
        self._comms = _CommTarget(session)
        self._matcher = MagicCompleter(lambda: session.manager).matcher()
        shell.Completer.custom_matchers.append(self._matcher)
        shell.events.register("post_run_cell", session.progress.finish)
        for moment in NEWS_MOMENTS:
            shell.events.register(moment, session.news.tell)
        shell.register_magics(PluginMagics(session, self.remove))

    def remove(self) -> None:
        """Take everything out again; the manager goes on, for others may use it."""
        shell = self._session.shell
        self._errors.remove()
        PLUGIN_LOGGER.removeHandler(self._quiet)
        self._comms.remove()
        shell.Completer.custom_matchers.remove(self._matcher)
        shell.events.unregister("post_run_cell", self._session.progress.finish)
        for moment in NEWS_MOMENTS:
            shell.events.unregister(moment, self._session.news.tell)
        for kind, names in (("line", LINE_NAMES), ("cell", CELL_NAMES)):
            for name in names:
                shell.magics_manager.magics[kind].pop(name, None)
        self._session.detach()


class _CommTarget:
    """Lets front ends open comms to us, where the shell is a kernel's, and see that they can.

    They see it in the kernel's list of open comms, to which one is added that has no other end:
    asking for the list runs nothing of the user's, as evaluating something would.

    Args:
        session: the notebook that they are to work on.
    """

    def __init__(self, session: NotebookSession) -> None:
        self._session = session
        kernel = getattr(session.shell, "kernel", None)
        self._manager = getattr(kernel, "comm_manager", None)
        if self._manager is not None:
            self._manager.register_target(COMM_TARGET, self._opened)
            self._mark = loaded_mark()
            self._manager.register_comm(self._mark)

    def remove(self) -> None:
        """Take no more of them; those that are open are closed with the session."""
        if self._manager is not None:
            self._manager.unregister_target(COMM_TARGET, self._opened)
            self._manager.unregister_comm(self._mark)

    def _opened(self, comm: Any, message: Any) -> None:
        self._session.live.connect(comm)


def loaded_mark() -> Any:
    """A comm of `LOADED_TARGET` that tells nobody when it is opened or closed."""
    from comm.base_comm import BaseComm

    class LoadedMark(BaseComm):
        def publish_msg(self, *args: Any, **keys: Any) -> None:
            """Nothing is sent, as there is no other end."""

    return LoadedMark(target_name=LOADED_TARGET, primary=False)
