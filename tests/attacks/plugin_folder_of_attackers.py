"""The plugins of a manager that is attacked from inside."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

_ATTACKER = """\
import os, sys
from nebula_lab.plugin import Plugin, operation
from .attacks import attempt

PLUGIN_METADATA = {metadata!r}

class Attacker(Plugin):
    @operation
    def attempt(self, name: str, target: dict) -> dict:
        return attempt(name, {{**target, "scratch": str(self.context.scratch_dir)}})

    @operation
    def ping(self) -> int:
        return os.getpid()

    @operation
    def flood(self, how: str, amount: int) -> int:
        block = b"x" * 65535 + b"\\n"
        for _ in range(amount):
            if how == "print":
                print(block.decode(), end="")
            elif how == "descriptor":
                os.write(1, block)
            elif how == "error":
                os.write(2, block)
            else:
                self.context.log("x" * 1000)
        return amount

def plugin_entry():
    return Attacker()
"""
_SIBLING = """\
# {secret}
import os
from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {{"id": "sibling", "version": "1.0.0"}}

class Sibling(Plugin):
    @operation
    def ping(self) -> int:
        return os.getpid()

    @operation
    def keep(self, secret: str) -> str:
        note = self.context.scratch_dir / "note"
        note.write_text(secret)
        return str(note)

def plugin_entry():
    return Sibling()
"""


def write_attacker(folder: Path, plugin_id: str, **security: Any) -> None:
    """A plugin that has all attacks, and asks for these rights."""
    package = folder / plugin_id
    shutil.copytree(
        HERE / "attacks", package / "attacks", ignore=shutil.ignore_patterns("__pycache__")
    )
    metadata = {"id": plugin_id, "version": "1.0.0", "security": security}
    (package / "__init__.py").write_text(_ATTACKER.format(metadata=metadata))


def write_sibling(folder: Path, secret: str) -> None:
    """A plugin that minds its own business, with a secret in its code."""
    (folder / "sibling.py").write_text(_SIBLING.format(secret=secret))
