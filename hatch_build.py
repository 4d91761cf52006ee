"""Puts the built front end into wheels and source distributions."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SIDEBAR = "nebula_lab/labextension"
SIDEBAR_NAME = "nebula-lab"


class FrontEndHook(BuildHookInterface[Any]):
    """Builds with `extensions/build.py`, unless what is packed was built already."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """node from PyPI, where the machine has none."""
        build = self._build_script()
        if build is None:
            return []
        try:
            build.find_npm()
        except build.NoNodeError:
            return [build.NODE_FROM_PYPI]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before anything is packed. An editable install is built by `make frontend`."""
        if version == "editable":
            return
        build = self._build_script()
        if build is not None:
            build.build()
        if self.target_name == "wheel":
            build_data["shared_data"][SIDEBAR] = f"share/jupyter/labextensions/{SIDEBAR_NAME}"

    def _build_script(self) -> Any:
        """The script; None in a source distribution, which has what it builds instead."""
        path = Path(self.root) / "extensions" / "build.py"
        if not path.is_file():
            return None
        spec = importlib.util.spec_from_file_location("nebula_lab_front_end", path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
