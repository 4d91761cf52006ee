"""What a plugin's context knows without asking, in every sandbox."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from nebula_lab.plugin import Context, PluginError


class ToldContext(Context):
    """A context that was told who its plugin is; how it reaches the host is its subclass's affair.

    Args:
        plugin_id: its id.
        config: what it is initialized with.
        scratch_dir: its own folder.
    """

    def __init__(self, plugin_id: str, config: dict[str, Any], scratch_dir: Path) -> None:
        self._plugin_id = plugin_id
        self._config = config
        self._scratch_dir = scratch_dir

    @property
    def plugin_id(self) -> str:
        return self._plugin_id

    @property
    def config(self) -> dict[str, Any]:
        return self._config

    @property
    def scratch_dir(self) -> Path:
        return self._scratch_dir


def level_number(level: str) -> int:
    """A log level by its name.

    Raises:
        PluginError: there is none of that name.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise PluginError(
            f"there is no log level {level!r}",
            hint="Levels are debug, info, warning, error and critical.",
        )
    return number
