"""A manager over components."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

from nebula_lab import PluginManager, UnenforcedWarning

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "sample_plugins" / "components" / "text_stats.wasm"
HOSTILE = HERE / "hostile.wasm"
NEIGHBOUR = """\
from nebula_lab.plugin import Plugin, operation

PLUGIN_METADATA = {"id": "neighbour", "version": "1.0.0"}


class Neighbour(Plugin):
    @operation
    def ping(self) -> str:
        return "pong"

    @operation
    def refuse(self) -> str:
        raise ValueError("not for you")


def plugin_entry():
    return Neighbour()
"""


class Heard:
    """Keeps what plugins say."""

    def __init__(self) -> None:
        self.text = {"stdout": "", "stderr": ""}
        self.logged: list[tuple[str, str]] = []
        self.steps: list[tuple[float, float | None]] = []

    def write(self, stream, text):
        self.text[stream] += text

    def display(self, action, bundle):
        raise AssertionError("a component displays nothing")

    def log(self, level, logger, message):
        self.logged.append((level, message))

    def progress(self, label, done, total, text):
        self.steps.append((done, total))


class ComponentLab:
    """A manager over the hostile component, the sample and a plugin in Python.

    Attributes:
        folder: of the plugins, which a test may change.
        plugins: the manager.
        heard: what its plugins said.
    """

    def __init__(self, sandbox: str, folder: Path, **settings: Any) -> None:
        self.sandbox = sandbox
        self.folder = folder
        folder.mkdir()
        shutil.copy(HOSTILE, folder)
        (folder / "hostile.toml").write_text(
            'id = "hostile"\nversion = "1.0.0"\ndependencies = ["neighbour"]\n'
        )
        shutil.copy(SAMPLE, folder)
        (folder / "neighbour.py").write_text(NEIGHBOUR)
        self.heard = Heard()
        security = {"sandbox": sandbox, **settings.pop("security", {})}
        config = {
            "plugin_dir": folder,
            "grace": 5.0,  # what computes is stopped at once, however busy the machine is
            "hot_reload": False,
            "restart": {"max_restarts": 1000},
            "security": security,
            **settings,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnenforcedWarning)
            self.plugins = PluginManager(config, output=self.heard)

    def ask(self, operation: str, /, timeout: float | None = None, **params: Any) -> Any:
        return self.plugins.execute("hostile", operation, params, timeout=timeout)

    def fresh(self) -> None:
        """Have the hostile component begin anew."""
        self.plugins.unload_plugin("hostile")
        self.plugins.load_plugin("hostile")
