"""Tells a notebook what became of plugins whose files were saved."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from nebula_lab.manager import PluginManager
from nebula_lab.model.events import Event, PluginReloaded, ReloadFailed
from nebula_lab.notebook.session import NotebookSession
from nebula_lab.views import failure_banner, reload_line

_SAVED = "saved"


class NotebookNews:
    """Shows reloads that nobody asked for in a cell: at the start of the next one, or at its end.

    Between two cells a notebook has no place of its own that every front end would show. What was
    asked for by a command is shown by the command.

    Args:
        session: the notebook.
    """

    def __init__(self, session: NotebookSession) -> None:
        self._session = session
        self._unsubscribe: Callable[[], None] = lambda: None
        self._lock = threading.Lock()
        # One a plugin: a second save makes what became of the first one old.
        self._waiting: dict[str, PluginReloaded | ReloadFailed] = {}
        events = session.shell.events
        events.register("pre_run_cell", self._show)
        events.register("post_run_cell", self._show)
        session.on_attach(self._attach)

    def remove(self) -> None:
        """Tell nothing any more."""
        events = self._session.shell.events
        events.unregister("pre_run_cell", self._show)
        events.unregister("post_run_cell", self._show)
        self._session.on_attach(None)
        self._unsubscribe()

    def _attach(self, manager: PluginManager) -> None:
        self._unsubscribe()
        self._unsubscribe = manager.subscribe(self._take, only=(PluginReloaded, ReloadFailed))

    def _take(self, event: Event) -> None:
        if isinstance(event, PluginReloaded | ReloadFailed) and event.cause == _SAVED:
            with self._lock:
                self._waiting.pop(event.plugin_id, None)
                self._waiting[event.plugin_id] = event

    def _show(self, *_: Any) -> None:
        with self._lock:
            events, self._waiting = list(self._waiting.values()), {}
        for event in events:
            if isinstance(event, PluginReloaded):
                self._session.say(reload_line(event))
            else:
                self._session.show(failure_banner(event))
