"""One row of `list_plugins()`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from nebula_lab.model.frozen import FrozenModel
from nebula_lab.model.state import PluginState
from nebula_lab.model.version import Version
from nebula_lab.plugin.showing import mime_bundle, pretty_text

__all__ = ["PluginInfo", "PluginListing"]


class PluginInfo(FrozenModel):
    """A plugin as it is at one moment.

    Attributes:
        loaded_at: when its present host came up; None while it has none.
        last_used: when it was last called; None before the first call.
        reload_count: reloads that went through, since the manager started.
        restarts: how often it was started again after a crash.
        failure: why it is `Failed`, in one text for people.
        sandbox: the name of the sandbox that it runs in, such as "Process"; of a WebAssembly
            component "Wasm in Process", as it has that around it.
        pid: its process, where it has one of its own.
        rights: what it is granted, in a word each, such as "net" and "all files"; in sandbox None
            it has all there are, and none is named.
    """

    id: str
    name: str
    version: Version
    state: PluginState
    loaded_at: datetime | None = None
    reload_count: int = 0
    last_used: datetime | None = None
    restarts: int = 0
    failure: str | None = None
    description: str = ""
    path: Path | None = None
    sandbox: str = ""
    pid: int | None = None
    rights: tuple[str, ...] = ()

    _repr_mimebundle_ = mime_bundle


class PluginListing(list[PluginInfo]):
    """What `list_plugins()` gives: a list, which a notebook shows as a table."""

    _repr_mimebundle_ = mime_bundle
    _repr_pretty_ = pretty_text
