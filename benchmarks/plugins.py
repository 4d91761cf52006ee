"""Our own contenders: plugins as anybody would write them, under a manager as it is by default."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nebula_lab import PluginConfig, PluginManager

ECHO = '''
from typing import Any

from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {{"id": "{plugin_id}", "version": "1.0.0"}}


class Echo(Plugin):
    @operation
    def echo(self, text: str, number: int, flags: list[bool | None]) -> dict:
        """Give back what was given, its types having been checked."""
        return {{"text": text, "number": number, "flags": flags}}

    @operation
    def mirror(self, array: Any) -> Any:
        """Give back an array."""
        return array


def plugin_entry():
    return Echo()
'''


def write_echoes(folder: Path, count: int) -> list[str]:
    """Write plugins that echo; gives their ids."""
    ids = [f"echo{number}" for number in range(count)]
    for plugin_id in ids:
        (folder / f"{plugin_id}.py").write_text(ECHO.format(plugin_id=plugin_id))
    return ids


@contextlib.contextmanager
def echoes(
    count: int, sandbox: str = "Process", **settings: Any
) -> Iterator[tuple[PluginManager, list[str]]]:
    """A manager and the ids of its plugins, none of which is loaded."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        ids = write_echoes(Path(name), count)
        config = {"plugin_dir": name, "security": {"sandbox": sandbox}, **settings}
        with PluginManager(config) as plugins:
            yield plugins, ids


def zygote(spares: int) -> dict[str, Any]:
    """The settings for so many spare hosts; nothing where a manager keeps none."""
    return {"zygote": {"spares": spares}} if keeps_spares() else {}


def keeps_spares() -> bool:
    """Whether a manager can be told to keep spare hosts."""
    return "zygote" in PluginConfig.model_fields
