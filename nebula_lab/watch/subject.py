"""What is to be watched: plugins, and the places where plugins are looked for."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.trust.contents import StoredFile

__all__ = ["Subject", "Root", "PluginChange", "Changes"]


class Subject(Struct, frozen=True):
    """A plugin that is to be watched.

    Attributes:
        descriptor: what is known of it.
        files: what was read of it when it was last to be run; None for one that is not loaded, of
            which only what describes it counts.
    """

    descriptor: PluginDescriptor
    files: tuple[StoredFile, ...] | None = None


class Root(Struct, frozen=True):
    """Where plugins are looked for.

    Attributes:
        path: a folder of plugins, or a file that lists some.
        levels: of folders below a folder that are looked into; None for all.
    """

    path: Path
    levels: int | None = 1


class PluginChange(Struct, frozen=True):
    """The files of a plugin are other ones than they were when they were last looked at.

    Attributes:
        plugin_id: the plugin.
        files: the paths, within the plugin, that are new, gone or different.
        missing: whether its source is no longer there.
        began: when the first event came, by the clock of `time.monotonic`.
    """

    plugin_id: str
    began: float
    files: tuple[str, ...] = ()
    missing: bool = False


class Changes(Struct, frozen=True):
    """What has changed and come to rest.

    Attributes:
        plugins: those that are loaded and whose files have changed.
        discovery: whether to look for plugins anew.
    """

    plugins: tuple[PluginChange, ...] = ()
    discovery: bool = False

    def __bool__(self) -> bool:
        return bool(self.plugins) or self.discovery
