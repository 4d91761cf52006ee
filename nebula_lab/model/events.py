"""What happens in a manager, as its subscribers are told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from msgspec import Struct

from nebula_lab.errors import ExitReport, PluginError
from nebula_lab.model.state import PluginState
from nebula_lab.model.version import Version

__all__ = [
    "CAUSES",
    "Event",
    "StateChanged",
    "PluginReloaded",
    "ReloadFailed",
    "PluginCrashed",
    "PluginRestarted",
    "OutputWritten",
    "LogWritten",
    "ProgressMade",
    "EnvironmentBuilding",
    "EnvironmentReady",
    "CallsCounted",
    "SavedChange",
    "PluginDiscovered",
    "PluginRemoved",
    "WatchNoted",
]


# Why a plugin is reloaded: somebody asked for it, its files were saved, or it goes back.
CAUSES = frozenset({"asked", "saved", "rollback"})


class Event(Struct, frozen=True):
    """The root of all events.

    Attributes:
        plugin_id: the plugin that it happened to.
        at: when, with time zone.
    """

    plugin_id: str
    at: datetime


class StateChanged(Event, frozen=True):
    """A plugin moved on in its life cycle; `reason` says why it failed, where it did."""

    before: PluginState
    after: PluginState
    reason: str = ""


class PluginReloaded(Event, frozen=True):
    """New code serves.

    Attributes:
        version: of the new code.
        duration: how long the reload took, in seconds.
        former: the version that served before.
        held: for how many of these seconds calls were held, once those that ran had ended.
        changes: what is different in what the plugin can do, in words.
        left_out: what of the state the new code does not have, by name, and why.
        cause: why it was reloaded, one of `CAUSES`.
    """

    version: Version
    duration: float
    former: Version
    held: float = 0.0
    changes: tuple[str, ...] = ()
    left_out: Mapping[str, str] = MappingProxyType({})
    cause: str = "asked"


class ReloadFailed(Event, frozen=True):
    """New code did not come up.

    Attributes:
        reason: `error` as text.
        error: why; its `diff` says how the new code differs from what served before it.
        goes_on: whether the old code goes on serving.
        cause: why it was to be reloaded, one of `CAUSES`.
    """

    reason: str
    error: PluginError
    goes_on: bool
    cause: str = "asked"


class PluginCrashed(Event, frozen=True):
    """A plugin's host ended by itself; `restarting` says whether another is on its way."""

    report: ExitReport
    restarting: bool


class PluginRestarted(Event, frozen=True):
    """Another host has taken the place of one that is gone.

    Attributes:
        duration: seconds from noticing that until it serves.
        lost: seconds from the checkpoint that it goes on from to that; None where it begins anew.
    """

    duration: float
    lost: float | None


class OutputWritten(Event, frozen=True):
    """A plugin wrote to `stdout` or `stderr`; `operation` is "" outside of any call."""

    stream: str
    text: str
    operation: str = ""


class LogWritten(Event, frozen=True):
    """A plugin logged a record; `level` is as in `logging`."""

    level: int
    logger: str
    message: str


class ProgressMade(Event, frozen=True):
    """A call has come so far; `total` is None where nobody knows."""

    operation: str
    done: float
    total: float | None
    text: str


class EnvironmentBuilding(Event, frozen=True):
    """The Python environment that a plugin asks for is being built.

    Attributes:
        done, total: stages that are over, and how many there are.
        text: what is being done now.
    """

    done: int
    total: int
    text: str


class EnvironmentReady(Event, frozen=True):
    """The Python environment that a plugin asks for has been built.

    Attributes:
        path: its folder.
        duration: how long it took, in seconds.
    """

    path: str
    duration: float


class CallsCounted(Event, frozen=True):
    """A tick: the calls since the plugin was first loaded. Some ticks may be left out.

    Attributes:
        executions, failures: counts by plugin id are in `plugins`; `plugin_id` is "".
    """

    plugins: Mapping[str, tuple[int, int]]


class SavedChange(Event, frozen=True):
    """Files of a loaded plugin were saved, and that has been dealt with.

    It comes after the `PluginReloaded` or `ReloadFailed` of the reload.

    Attributes:
        version: of the plugin that serves now.
        files: the paths, within the plugin, that were new, gone or different.
        duration: seconds from the first event of the save until now.
        error: why the new code does not serve, and the old one goes on; None where it does.
        reloaded: false where the files are again what runs, so that there was nothing to do.
        state: of the plugin now; a suspended one has been resumed for this, and suspended again.
        changes: what is different in what the plugin can do, in words.
        left_out: what of the state the new code does not have, by name, and why.
    """

    version: Version
    files: tuple[str, ...]
    duration: float
    error: PluginError | None = None
    reloaded: bool = True
    state: PluginState = PluginState.LOADED
    changes: tuple[str, ...] = ()
    left_out: Mapping[str, str] = MappingProxyType({})


class PluginDiscovered(Event, frozen=True):
    """A plugin that was not known has been found, in the file or folder `path`."""

    version: Version
    path: Path


class PluginRemoved(Event, frozen=True):
    """A plugin is known no longer, since nothing describes it any more.

    Attributes:
        path: where it was.
        state_kept: whether its state waits for it to come back.
    """

    path: Path
    state_kept: bool = False


class WatchNoted(Event, frozen=True):
    """Something to know about the watching of files, in a sentence."""

    message: str


def is_tick(event: Any) -> bool:
    """Whether a slow subscriber may miss this event."""
    return isinstance(event, CallsCounted)
