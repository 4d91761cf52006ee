"""What happened to the plugins of a manager, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct

from nebula_lab.plugin.showing import drawn, mime_bundle

__all__ = ["MomentKind", "Moment", "MemorySample", "Timeline"]


class MomentKind(StrEnum):
    """What can happen to a plugin."""

    LOADED = "loaded"
    RELOADED = "reloaded"
    RELOAD_FAILED = "reload failed"
    CRASHED = "crashed"
    RESTARTED = "restarted"
    SUSPENDED = "suspended"
    UNLOADED = "unloaded"
    FAILED = "failed"


class Moment(Struct, frozen=True):
    """Something that happened to a plugin.

    Attributes:
        plugin_id: the plugin.
        at: when, with time zone.
        kind: what.
        text: more of it in a line, such as the versions of a reload or the reason of a crash.
        duration: how long it took, in seconds; None where that says nothing.
    """

    plugin_id: str
    at: datetime
    kind: MomentKind
    text: str = ""
    duration: float | None = None


class MemorySample(Struct, frozen=True):
    """How many bytes of memory a plugin had."""

    at: datetime
    memory: int


class Timeline(Struct, frozen=True):
    """What happened to plugins since a manager began, within bounds.

    Attributes:
        began: when the manager was made, with time zone.
        at: when this was taken.
        moments: the newest 2,000, oldest first.
        memory: by plugin, its newest 600 samples, oldest first: of plugins with a process of their
            own, while it works. Between two of them it was about what the earlier one says.
    """

    began: datetime
    at: datetime
    moments: tuple[Moment, ...] = ()
    memory: Mapping[str, tuple[MemorySample, ...]] = {}

    _repr_mimebundle_ = mime_bundle

    def of(self, *plugin_ids: str) -> Timeline:
        """The same of some plugins alone."""
        return Timeline(
            self.began,
            self.at,
            tuple(one for one in self.moments if one.plugin_id in plugin_ids),
            {name: samples for name, samples in self.memory.items() if name in plugin_ids},
        )

    def plot(self, path: str | Path | None = None) -> Any:
        """A picture: what happened on a line for each plugin, and memory over time.

        Args:
            path: a file to write it to as well, such as `timeline.svg`.

        Returns:
            A `nebula_lab.views.Picture`, which a notebook shows; `.figure` is matplotlib's.

        Raises:
            MissingLibraryError: matplotlib is not installed.
        """
        return drawn(self, path)
