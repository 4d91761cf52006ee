"""The one current manager of a process."""

from __future__ import annotations

import threading
from pathlib import Path

from nebula_lab.manager import PluginManager
from nebula_lab.model import PluginConfig

CONFIG_NAMES = ("plugin_resource.yaml", "plugin_resource.toml", "plugin_resource.json")
PLUGIN_DIR = "plugins"


class _Holder:
    """Who is the current manager."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._manager: PluginManager | None = None

    def get(self) -> PluginManager:
        with self._lock:
            if self._manager is None or self._manager.closed:
                self._manager = _make_manager(Path.cwd())
            return self._manager

    def set(self, manager: PluginManager) -> PluginManager | None:
        with self._lock:
            former, self._manager = self._manager, manager
        return former


_holder = _Holder()


def current_manager() -> PluginManager:
    """The current manager; made on first use, and again after it was closed.

    It is made from the nearest `plugin_resource.yaml` (or .toml, .json) at or above the working
    folder, else from the folder `plugins` if there is one, else it has no plugins.

    Raises:
        ConfigError: that file is wrong.
    """
    return _holder.get()


def set_current_manager(manager: PluginManager) -> PluginManager | None:
    """Make a manager the current one. The former is returned, still open."""
    return _holder.set(manager)


def find_config(start: Path) -> Path | None:
    """The nearest configuration file at or above a folder."""
    for folder in (start, *start.parents):
        for name in CONFIG_NAMES:
            if (folder / name).is_file():
                return folder / name
    return None


def _make_manager(folder: Path) -> PluginManager:
    path = find_config(folder)
    if path is not None:
        return PluginManager(PluginConfig.from_file(path))
    if (folder / PLUGIN_DIR).is_dir():
        return PluginManager(plugin_dir=folder / PLUGIN_DIR)
    return PluginManager()
