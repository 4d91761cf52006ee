"""A plugin folder that a test fills with real files."""

from __future__ import annotations

import json
from pathlib import Path

from nebula_lab.discovery import DiscoveryResult, FileSystemDiscoverer

ENTRY = "\n\ndef plugin_entry():\n    raise SystemExit('this source was run')\n"


class PluginFolder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, text: str | bytes = "") -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def plugin(self, name: str, plugin_id: str, **metadata: object) -> Path:
        table = {"id": plugin_id, "version": "1.0.0", **metadata}
        return self.write(name, f"PLUGIN_METADATA = {table!r}\n{ENTRY}")

    def manifest(self, name: str, plugin_id: str, extra: str = "") -> Path:
        return self.write(name, f'id = "{plugin_id}"\nversion = "1.0.0"\n{extra}\n')

    def notebook(self, name: str, *cells: str | tuple[str, list[str]]) -> Path:
        listed = []
        for cell in cells:
            source, tags = cell if isinstance(cell, tuple) else (cell, [])
            listed.append(
                {
                    "cell_type": "code",
                    "execution_count": None,
                    "metadata": {"tags": tags},
                    "outputs": [],
                    "source": source.splitlines(keepends=True),
                }
            )
        notebook = {"cells": listed, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
        return self.write(name, json.dumps(notebook, indent=1))

    def discover(self, pattern: str = "*", recursive: bool = False) -> DiscoveryResult:
        return FileSystemDiscoverer(self.path, pattern, recursive).discover()

    def ids(self, pattern: str = "*", recursive: bool = False) -> list[str]:
        return [d.id for d in self.discover(pattern, recursive).descriptors]

    def only_problem(self):
        result = self.discover()
        assert len(result.problems) == 1, [str(p) for p in result.problems]
        assert result.problems[0].cure
        return result.problems[0]
