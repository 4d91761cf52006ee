"""One notebook at work on the current manager."""

from __future__ import annotations

import contextlib
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.display import display

from nebula_lab.current import current_manager, set_current_manager
from nebula_lab.manager import PluginManager, UnenforcedWarning
from nebula_lab.model.config import PluginConfig
from nebula_lab.model.listing import listed
from nebula_lab.notebook.news import WatchNews
from nebula_lab.notebook.progress import CellScreen, ProgressBoard, TerminalScreen
from nebula_lab.notebook.sink import NotebookSink
from nebula_lab.runtime.output import OutputSink
from nebula_lab.views.quantities import counted
from nebula_lab.views.safe_text import prose

if TYPE_CHECKING:
    from nebula_lab.notebook.live_session import NotebookLive
    from nebula_lab.notebook.widgets import LiveWidget
    from nebula_lab.views import Rendered

BOUND_NAME = "plugins"


class NotebookSession:
    """Ties an IPython shell to the manager: its name, its output, its progress bars.

    Args:
        shell: the `InteractiveShell` that loaded the extension.

    Attributes:
        progress: the bars of the calls that run.
        news: of files that were saved.
        is_in_kernel: a front end shows what is displayed; otherwise it is a terminal.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        # A kernel's shell has a display publisher that can update; a terminal writes over a line.
        self.is_in_kernel = hasattr(shell, "kernel")
        self.progress = ProgressBoard(CellScreen if self.is_in_kernel else TerminalScreen)
        self._sink = NotebookSink(self.progress, colours=self.is_in_kernel)
        self.news = WatchNews(self.show)
        self._bound: PluginManager | None = None
        self._attached: tuple[PluginManager, OutputSink] | None = None
        self._attaching = threading.RLock()  # front ends ask for the manager on other threads
        self._live: NotebookLive | None = None
        self._said: set[str] = set()

    @property
    def manager(self) -> PluginManager:
        """The current manager; it is made, and attached to the notebook, where there is none yet.

        Raises:
            PluginError: its configuration can't be used.
        """
        with _told_by_us():
            manager = current_manager()
        with self._attaching:
            if self._attached is None or self._attached[0] is not manager:
                self._attach(manager)
        return manager

    @property
    def live(self) -> NotebookLive:
        """What widgets and the sidebar are connected to; made when the first of them comes."""
        if self._live is None:
            from nebula_lab.notebook.live_session import NotebookLive

            self._live = NotebookLive(self.shell, lambda: self.manager)
        return self._live

    def open_manager(
        self, config: PluginConfig | None = None, *, plugin_dir: Path | None = None
    ) -> PluginManager:
        """Let a new manager take the place of the current one, which is closed.

        Raises:
            PluginError: the new one can't start; the current one stays.
        """
        with _told_by_us():
            manager = PluginManager(config, plugin_dir=plugin_dir)
        former = set_current_manager(manager)
        self._attached = None
        self._attach(manager)
        if former is not None:
            former.close()
        return manager

    def detach(self) -> None:
        """Give the manager back the output that it had; it goes on."""
        if self._live is not None:
            self._live.close()
            self._live = None
        if self._attached is not None:
            self.news.leave()
            manager, output = self._attached
            manager.output = output
            self._attached = None

    def announce(self) -> None:
        """Say what the manager has, and what of its configuration is not enforced."""
        self.say(opening_line(self.manager))
        if self.manager.unenforced:
            from nebula_lab.views import unenforced_note

            self.say(unenforced_note(self.manager.unenforced).text)

    def warn_of_unenforced(self) -> None:
        """Name the plugins that run without being held to all of their limits, if there are any."""
        manager = self.manager
        if manager.config.security.strict:
            return
        lacking = [one for one in manager.load_order if manager.policy(one).gaps]
        if lacking:
            self.say(
                "Not held to all of their limits on this machine (%plugin doctor ID says more): "
                f"{listed(lacking)}."
            )

    def show(self, view: Rendered | LiveWidget) -> None:
        """Display a view under the cell."""
        display(view)

    def say(self, text: str) -> None:
        """Print a sentence, without what a plugin may have hidden in its names."""
        sys.stdout.write(f"{prose(text)}\n")

    def say_once(self, text: str) -> None:
        """The same, unless it has been said already."""
        if text not in self._said:
            self._said.add(text)
            self.say(text)

    def _attach(self, manager: PluginManager) -> None:
        self._attached = (manager, manager.output)
        manager.output = self._sink
        self.news.follow(manager)
        if self._live is not None:
            self._live.follow(manager)
        self._bind(manager)
        manager.warm_up()  # last: from here on, a thread imports what plugins run with

    def _bind(self, manager: PluginManager) -> None:
        names = self.shell.user_ns
        taken = names.get(BOUND_NAME, manager)
        if taken is manager or taken is self._bound:
            names[BOUND_NAME] = self._bound = manager
        else:
            self.say(
                f"The name `{BOUND_NAME}` is taken, so it was left alone; the manager is "
                "nebula_lab.current_manager()."
            )


def opening_line(manager: PluginManager) -> str:
    """Such as `nebula_lab: 5 plugins, 2 problems and 1 note (%plugin problems).`"""
    text = f"nebula_lab: {counted(len(manager), 'plugin')}"
    if manager.problems:
        from nebula_lab.views import problem_count

        text += f", {problem_count(manager.problems)} (%plugin problems)"
    return text + "."


@contextlib.contextmanager
def _told_by_us() -> Iterator[None]:
    """Hold back the warnings that a new manager gives; the session says the same in its words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnenforcedWarning)
        yield
