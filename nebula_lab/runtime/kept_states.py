"""States of plugins whose files are gone, for the case that they come back."""

from __future__ import annotations

import time

__all__ = ["KeptStates", "KEPT_FOR"]

KEPT_FOR = 3600.0  # seconds: a rename by way of another branch, or a mistake that is undone


class KeptStates:
    """One state an id, each for a while.

    Args:
        keep_for: seconds.
    """

    def __init__(self, keep_for: float = KEPT_FOR) -> None:
        self._keep_for = keep_for
        self._states: dict[str, tuple[float, object]] = {}

    def put(self, plugin_id: str, state: object) -> None:
        """Keep a state from now on; None is none."""
        now = time.monotonic()
        for old in [key for key, (until, _) in list(self._states.items()) if until < now]:
            self._states.pop(old, None)
        if state is not None:
            self._states[plugin_id] = (now + self._keep_for, state)

    def take(self, plugin_id: str) -> object | None:
        """The state of a plugin that has come back, once; None where there is none any more."""
        until, state = self._states.pop(plugin_id, (0.0, None))
        return state if until >= time.monotonic() else None

    def __contains__(self, plugin_id: object) -> bool:
        return plugin_id in self._states
