"""Tells in the next cell what has become of files that were saved meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nebula_lab.manager import PluginManager
from nebula_lab.model.events import (
    Event,
    PluginDiscovered,
    PluginRemoved,
    SavedChange,
    WatchNoted,
)

if TYPE_CHECKING:
    from nebula_lab.views import Rendered

_KINDS = (SavedChange, PluginDiscovered, PluginRemoved, WatchNoted)
# How much is kept for a cell that nobody runs.
_MOST = 20


class WatchNews:
    """Keeps what happened between two cells, and shows it at the top of the second.

    A save comes while no cell runs, as a rule. What a thread displays then lands under whichever
    cell ran last, or nowhere.

    Args:
        show: displays something under the cell that runs.
    """

    def __init__(self, show: Callable[[Rendered], object]) -> None:
        self._show = show
        self._lock = threading.Lock()
        # By plugin and kind: of several saves the last one counts.
        self._pending: dict[tuple[str, type[Event]], Event] = {}
        self._unsubscribe: Callable[[], None] | None = None

    def follow(self, manager: PluginManager) -> None:
        """Listen to this manager, and to no other any more."""
        self.leave()
        self._unsubscribe = manager.subscribe(self._take, only=_KINDS)

    def leave(self) -> None:
        """Listen no more."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None
        with self._lock:
            self._pending.clear()

    def _take(self, event: Event) -> None:
        key = (event.plugin_id, type(event))
        with self._lock:
            self._pending.pop(key, None)
            self._pending[key] = event
            while len(self._pending) > _MOST:
                del self._pending[next(iter(self._pending))]

    def tell(self, *_: Any) -> None:
        """Show what there is; for IPython's events around a cell."""
        with self._lock:
            events = list(self._pending.values())
            self._pending.clear()
        if not events:
            return
        from nebula_lab.views import news_view

        for event in events:
            rendered = news_view(event)
            if rendered is not None:
                self._show(rendered)
