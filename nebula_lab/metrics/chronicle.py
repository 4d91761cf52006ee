"""What happened in a manager and how much memory its plugins had, within bounds.

Nobody polls for it: events come as they happen, and memory is what whoever looks at a host anyway
has found.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from nebula_lab.metrics.timeline import MemorySample, Moment, MomentKind, Timeline
from nebula_lab.model.events import (
    Event,
    PluginCrashed,
    PluginReloaded,
    PluginRestarted,
    ReloadFailed,
    StateChanged,
)
from nebula_lab.model.state import PluginState
from nebula_lab.plugin.safe_text import line

# Both are the newest; 2,000 moments take half a megabyte, the samples of a plugin 60 kB.
MOST_MOMENTS = 2_000
MOST_SAMPLES = 600
MOST_SAMPLED = 1_000  # plugins
# Seconds between two samples of one plugin, unless it has grown or shrunk by a tenth.
_INTERVAL = 1.0
_LEAST = 0.02
_TENTH = 0.1
_TEXT = 300  # characters

_OF_STATES: Mapping[tuple[PluginState, PluginState], MomentKind] = {
    (PluginState.LOADING, PluginState.LOADED): MomentKind.LOADED,
    (PluginState.UNLOADING, PluginState.DISCOVERED): MomentKind.UNLOADED,
    (PluginState.LOADED, PluginState.SUSPENDED): MomentKind.SUSPENDED,
    (PluginState.ACTIVE, PluginState.SUSPENDED): MomentKind.SUSPENDED,
}

# After these it has no process, and so no memory.
_ENDS = frozenset(
    {MomentKind.CRASHED, MomentKind.SUSPENDED, MomentKind.UNLOADED, MomentKind.FAILED}
)


class Chronicle:
    """Keeps the newest moments and samples; any thread may add and look."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        self._clock = time.monotonic()
        self._lock = threading.Lock()
        self._moments: deque[Moment] = deque(maxlen=MOST_MOMENTS)
        self._samples: dict[str, deque[tuple[float, int]]] = {}

    def note(self, event: Event) -> None:
        """Keep an event, if it is of a kind that is kept."""
        make = _MOMENTS.get(type(event))
        moment = None if make is None else make(event)
        if moment is None:
            return
        with self._lock:
            self._moments.append(moment)
            if moment.kind in _ENDS and (samples := self._samples.get(moment.plugin_id)):
                samples.append((time.monotonic() - self._clock, 0))

    def sample(self, plugin_id: str, memory: int) -> None:
        """Keep how many bytes a plugin has now; most of what comes is left out soon."""
        now = time.monotonic() - self._clock
        samples = self._samples.get(plugin_id)
        if not memory or (samples and not _is_news(samples[-1], now, memory)):
            return
        with self._lock:
            if samples is None:
                if len(self._samples) >= MOST_SAMPLED:
                    return
                samples = self._samples.setdefault(plugin_id, deque(maxlen=MOST_SAMPLES))
            samples.append((now, memory))

    def timeline(self) -> Timeline:
        """All that is kept, oldest first."""
        with self._lock:
            moments = tuple(self._moments)
            samples = {name: tuple(kept) for name, kept in sorted(self._samples.items())}
        memory = {
            name: tuple(MemorySample(self._began + timedelta(seconds=at), had) for at, had in kept)
            for name, kept in samples.items()
        }
        return Timeline(self._began, datetime.now(UTC), moments, memory)


def _is_news(last: tuple[float, int], now: float, memory: int) -> bool:
    since = now - last[0]
    return since >= _INTERVAL or (
        since >= _LEAST and abs(memory - last[1]) > _TENTH * max(last[1], 1)
    )


def _of_state(event: StateChanged) -> Moment | None:
    if event.after is PluginState.FAILED:
        return _moment(event, MomentKind.FAILED, event.reason)
    kind = _OF_STATES.get((event.before, event.after))
    return None if kind is None else _moment(event, kind)


def _of_reload(event: PluginReloaded) -> Moment:
    text = str(event.version)
    if event.former != event.version:
        text = f"{event.former} → {event.version}"
    return _moment(event, MomentKind.RELOADED, f"{text}, {event.cause}", event.duration)


def _moment(
    event: Event, kind: MomentKind, text: str = "", duration: float | None = None
) -> Moment:
    return Moment(event.plugin_id, event.at, kind, line(text.partition("\n")[0], _TEXT), duration)


_MOMENTS: Mapping[type[Event], Callable[..., Moment | None]] = {
    StateChanged: _of_state,
    PluginReloaded: _of_reload,
    ReloadFailed: lambda event: _moment(event, MomentKind.RELOAD_FAILED, event.reason),
    PluginCrashed: lambda event: _moment(event, MomentKind.CRASHED, event.report.reason),
    PluginRestarted: lambda event: _moment(event, MomentKind.RESTARTED, duration=event.duration),
}
