"""Whether there is time for work that nobody waits for."""

from __future__ import annotations

import time
from collections.abc import Iterable

from nebula_lab.model import PluginState
from nebula_lab.runtime.record import PluginRecord

# Seconds since the last call until its plugin is taken to rest.
_REST = 0.25
_CHANGING = frozenset({PluginState.LOADING, PluginState.UNLOADING})


def is_idle(records: Iterable[PluginRecord]) -> bool:
    """Whether no plugin is being loaded, and none runs a call or has just run one."""
    since = time.monotonic() - _REST
    return not any(
        record.state in _CHANGING or (record.last_used or 0.0) > since or record.slots.users()
        for record in records
    )
