"""The text of a new plugin that works: as a Python file, as a package, or as a notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from nebula_lab.agent.notebook_file import SKIP_TAG

_METADATA = """PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {{
    "id": "{id}",
    "name": "{name}",
    "version": "0.1.0",
    "description": "Greets.",
    "dependencies": [],
}}"""
_CLASS = '''class {class_name}(Plugin):
    def initialize(self, config: dict[str, Any]) -> None:
        self.greetings: int = config.get("greetings", 0)

    @operation
    def greet(self, name: str) -> str:
        """Greet someone, and count how often that was done."""
        self.greetings += 1
        return f"Hello {{name}}, greeting number {{self.greetings}}."

    def health_check(self) -> HealthStatus:
        return HealthStatus.HEALTHY

    def self_test(self) -> bool:
        return self.greet("test").startswith("Hello")

    def save_state(self) -> dict[str, Any]:
        return {{"greetings": self.greetings}}

    def restore_state(self, state: dict[str, Any]) -> None:
        self.greetings = state["greetings"]'''
_ENTRY = """def plugin_entry() -> {class_name}:
    return {class_name}()"""
_IMPORT = "from typing import Any\n\nfrom nebula_lab.plugin import HealthStatus, Plugin, operation"
_FILE = f'''"""{{name}}: say here what this plugin is for."""

from __future__ import annotations

{_IMPORT}

{_METADATA}


{_CLASS}


{_ENTRY}
'''
_PACKAGE = f'''"""{{name}}: say here what this plugin is for."""

from __future__ import annotations

{_IMPORT}

PLUGIN_API_VERSION = 1


{_CLASS}


{_ENTRY}
'''
_MANIFEST = """id = "{id}"
name = "{name}"
version = "0.1.0"
description = "Greets."
dependencies = []

# Rights that it needs, besides a folder of its own: see docs/security.md.
# [security]
# capabilities = ["Network"]
# allowed_hosts = ["example.org"]

# A Python environment of its own: see docs/environments.md.
# [python]
# dependencies = ["pandas>=2,<3"]
"""
_TEST = '''"""What {id} does, in its sandbox; `nebula-lab test` runs this too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nebula_lab import PluginManager

PLUGINS = Path(__file__).parents[{up}]


@pytest.fixture(scope="module")
def plugins() -> Iterator[PluginManager]:
    with PluginManager({{"plugin_dir": PLUGINS, "hot_reload": False}}) as manager:
        yield manager


def test_it_greets_and_counts(plugins: PluginManager) -> None:
    before = plugins["{id}"].greet(name="World")
    after = plugins["{id}"].greet(name="World")
    assert before.startswith("Hello World")
    assert before != after


def test_what_it_counted_survives_a_reload(plugins: PluginManager) -> None:
    plugins["{id}"].greet(name="World")
    plugins.reload_plugin("{id}")
    assert not plugins["{id}"].greet(name="World").endswith("number 1.")
'''
_TITLE = """# {name}

Say here what this plugin is for.

The code cells of this notebook are the plugin, apart from those that are tagged `nebula-skip`:
these are for trying it out. Save, and what you changed is live."""
_TRY = """# Tagged nebula-skip, and so no part of the plugin.
tried = {class_name}()
tried.initialize({{}})
tried.greet(name="World")"""
_CALL = """%load_ext nebula_lab
plugins["{id}"].greet(name="World")"""
# What each cell is, its text, and its tags.
_CELLS = (
    ("markdown", _TITLE, ()),
    ("code", f"{_IMPORT}\n\n{_METADATA}", ()),
    ("code", _CLASS, ()),
    ("code", _ENTRY, ()),
    ("code", _TRY, (SKIP_TAG,)),
    ("code", _CALL, (SKIP_TAG,)),
)


def new_source(plugin_id: str) -> str:
    """The text of a Python file that is a plugin of this id."""
    return _FILE.format_map(_names(plugin_id))


def new_notebook(plugin_id: str) -> str:
    """The text of a notebook that is a plugin of this id, as Jupyter would write it."""
    notebook = {
        "cells": list(_cells(_names(plugin_id))),
        "metadata": {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def new_package(plugin_id: str) -> dict[str, str]:
    """The texts of a folder that is a plugin of this id, by their paths in it."""
    names = _names(plugin_id)
    return {
        "plugin.toml": _MANIFEST.format_map(names),
        "__init__.py": _PACKAGE.format_map(names),
        f"tests/{test_name(plugin_id)}": new_test(plugin_id, up=2),
    }


def new_test(plugin_id: str, *, up: int) -> str:
    """The text of a test of such a plugin.

    Args:
        plugin_id: of the plugin.
        up: how many folders above the test's own the plugins are.
    """
    return _TEST.format_map({**_names(plugin_id), "up": str(up)})


def test_name(plugin_id: str) -> str:
    """The name of its file; it is a module's, so without points."""
    return f"test_{re.sub(r'[^A-Za-z0-9_]', '_', plugin_id)}.py"


def name_from(plugin_id: str) -> str:
    """`word_count` as `Word count`."""
    words = re.sub(r"[_.-]+", " ", plugin_id).strip() or plugin_id
    return words[:1].upper() + words[1:]


def _names(plugin_id: str) -> dict[str, str]:
    words = re.split(r"[_.-]+", plugin_id.strip("_.-"))
    class_name = "".join(word[:1].upper() + word[1:] for word in words) + "Plugin"
    return {"id": plugin_id, "name": name_from(plugin_id), "class_name": class_name}


def _cells(names: dict[str, str]) -> Iterator[dict[str, object]]:
    for number, (kind, text, tags) in enumerate(_CELLS, 1):
        cell: dict[str, object] = {
            "cell_type": kind,
            "id": f"plugin-{number}",
            "metadata": {"tags": list(tags)} if tags else {},
            "source": text.format_map(names).splitlines(keepends=True),
        }
        if kind == "code":
            cell |= {"execution_count": None, "outputs": []}
        yield cell
