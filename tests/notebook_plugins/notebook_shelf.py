"""Notebooks that are plugins, as Jupyter writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

METADATA = 'PLUGIN_METADATA = {{"id": "{id}", "version": "1.0.0"}}'
CLASS = """\
from nebula_lab.plugin import Plugin, operation

class Book(Plugin):
    @operation
    def read(self, page: int = 1) -> int:
        return page

    @operation
    def tear(self) -> int:
        return 1 // 0"""
ENTRY = "def plugin_entry():\n    return Book()"


def cell(source: str, kind: str = "code", *tags: str, outputs: tuple[Any, ...] = ()) -> dict:
    made: dict[str, Any] = {
        "cell_type": kind,
        "metadata": {"tags": list(tags)} if tags else {},
        "source": source.splitlines(keepends=True),
    }
    if kind == "code":
        made |= {"execution_count": len(outputs) or None, "outputs": list(outputs)}
    return made


def notebook(*cells: str | dict, language: str = "python", **metadata: Any) -> str:
    made = [cell(one) if isinstance(one, str) else one for one in cells]
    known = {"language_info": {"name": language}, **metadata}
    whole = {"cells": made, "metadata": known, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, ensure_ascii=False)


class Shelf:
    """A folder of notebooks."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, name: str, text: str) -> Path:
        path = self.path / name
        fresh = path.with_suffix(".tmp")
        fresh.write_text(text)
        fresh.replace(path)
        return path

    def book(self, *cells: str | dict, name: str = "book", **metadata: Any) -> Path:
        """A notebook of these cells; without any, of a plugin that works."""
        cells = cells or (METADATA.format(id=name), CLASS, ENTRY)
        return self.put(f"{name}.ipynb", notebook(*cells, **metadata))

    def config(self, sandbox: str = "None", **settings: Any) -> dict[str, Any]:
        return {"plugin_dir": self.path, "security": {"sandbox": sandbox}, **settings}
