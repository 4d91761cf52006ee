"""The plugins of our own contenders, as anybody would write them."""

from __future__ import annotations

from pathlib import Path

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


STUCK = """
import threading
import time

from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {"id": "stuck", "version": "1.0.0"}


class Stuck(Plugin):
    @operation
    def ready(self) -> bool:
        return True

    @operation
    def computing(self):
        while True:
            pass

    @operation
    def sleeping(self):
        time.sleep(60)

    @operation
    def waiting(self):
        threading.Event().wait()

    @operation
    def in_c(self):
        return sum(range(10**12))


def plugin_entry():
    return Stuck()
"""


def write_stuck(folder: Path) -> str:
    """Write a plugin whose operations do not end; gives its id."""
    (folder / "stuck.py").write_text(STUCK)
    return "stuck"


def write_echoes(folder: Path, count: int) -> list[str]:
    """Write plugins that echo; gives their ids."""
    ids = [f"echo{number}" for number in range(count)]
    for plugin_id in ids:
        (folder / f"{plugin_id}.py").write_text(ECHO.format(plugin_id=plugin_id))
    return ids
