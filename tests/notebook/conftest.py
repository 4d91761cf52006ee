"""A real IPython shell with the extension loaded, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

from nebula_lab.current import current_manager

COUNTER = '''\
from nebula_lab.plugin import HealthStatus, Plugin, operation

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {"id": "counter", "name": "Counter", "version": "1.0.0"}


class Counter(Plugin):
    def initialize(self, config):
        self.count = 0

    @operation
    def add(self, n: int = 1, loud: bool = False) -> int:
        """Add n and return the count."""
        self.count += n
        if loud:
            print(f"the count is {self.count}")
        return self.count

    @operation
    def echo(self, text: str, rows: list = []) -> dict:
        """Return what was given."""
        return {"text": text, "rows": rows}

    @operation
    def boom(self) -> int:
        """Fail."""
        return 1 // 0

    def save_state(self):
        return {"count": self.count}

    def restore_state(self, state):
        self.count = state["count"]

    def health_check(self):
        return HealthStatus.HEALTHY


def plugin_entry():
    return Counter()
'''
NEEDS_COUNTER = '''\
from nebula_lab.plugin import Plugin, operation

PLUGIN_API_VERSION = 1
PLUGIN_METADATA = {
    "id": "dependent",
    "name": "Dependent",
    "version": "2.0.0",
    "dependencies": ["counter >=1.0"],
}


class Dependent(Plugin):
    @operation
    def twice(self, n: int) -> int:
        """Add n to the counter twice."""
        self.context.call("counter", "add", {"n": n})
        return self.context.call("counter", "add", {"n": n})


def plugin_entry():
    return Dependent()
'''
# In this process: what is tested here is the notebook's face, and the sandboxes have their own
# tests. The file test_notebook_in_a_kernel.py goes through real kernels.
IN_PROCESS = 'plugin_dir: "plugins"\nsecurity: {sandbox: "None"}\n'


@dataclass(frozen=True)
class Cell:
    """What running a cell gave."""

    value: Any
    error: BaseException | None
    stdout: str
    stderr: str
    bundles: list[dict[str, Any]]

    @property
    def shown(self) -> str:
        """The text of all that was displayed."""
        return "\n".join(bundle["text/plain"] for bundle in self.bundles)


class Notebook:
    """Runs cells."""

    def __init__(self, shell: InteractiveShell, folder: Path) -> None:
        self.shell = shell
        self.folder = folder

    @property
    def plugins(self) -> Path:
        return self.folder / "plugins"

    def run(self, code: str) -> Cell:
        with capture_output() as captured:
            result = self.shell.run_cell(code)
        return Cell(
            result.result,
            result.error_before_exec or result.error_in_exec,
            captured.stdout,
            captured.stderr,
            [output.data for output in captured.outputs],
        )

    def complete(self, text: str) -> list[str]:
        return [found.text for found in self.completions(text)]

    def completions(self, text: str) -> list[Any]:
        """What a front end is offered with the cursor at the end."""
        with provisionalcompleter():
            return list(self.shell.Completer.completions(text, len(text)))


@pytest.fixture(scope="session")
def shell(tmp_path_factory) -> Iterator[InteractiveShell]:
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.ipython_dir = str(tmp_path_factory.mktemp("ipython"))
    yield InteractiveShell.instance(config=config)
    InteractiveShell.clear_instance()


@pytest.fixture
def bare(shell, tmp_path, monkeypatch) -> Iterator[Notebook]:
    """A notebook in an empty folder, without the extension."""
    monkeypatch.chdir(tmp_path)
    shell.reset(new_session=False)
    yield Notebook(shell, tmp_path)
    if "nebula_lab" in shell.extension_manager.loaded:
        shell.run_line_magic("unload_ext", "nebula_lab")
    current_manager().close()


@pytest.fixture
def notebook(bare) -> Notebook:
    """A notebook with the extension and two plugins."""
    bare.plugins.mkdir()
    (bare.plugins / "counter.py").write_text(COUNTER)
    (bare.plugins / "dependent.py").write_text(NEEDS_COUNTER)
    (bare.folder / "plugin_resource.yaml").write_text(IN_PROCESS)
    bare.run("%load_ext nebula_lab")
    return bare
