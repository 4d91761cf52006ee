"""A manager for each sandbox, over the same plugins."""

from __future__ import annotations

import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import left_behind
import pytest
from modes import ISOLATING, MODES, Mode
from shared_zygote import shared_zygote

from nebula_lab import PluginManager, UnenforcedWarning
from nebula_lab.errors import PluginError

PLUGINS = Path(__file__).with_name("plugins")


class Notes:
    """Keeps what plugins say."""

    def __init__(self) -> None:
        self.text: dict[str, str] = {"stdout": "", "stderr": ""}
        self.logged: list[tuple[str, str]] = []
        self.steps: list[tuple[float, float | None]] = []

    def write(self, stream, text):
        self.text[stream] += text

    def display(self, action, bundle):
        raise AssertionError("none of these plugins displays anything")

    def log(self, level, logger, message):
        self.logged.append((level, message))

    def progress(self, label, done, total, text):
        self.steps.append((done, total))


class Lab:
    """A manager over a copy of the plugins.

    Attributes:
        mode: the sandbox.
        folder: of the copies, which a test may edit.
        plugins: the manager.
        notes: what its plugins said.
    """

    def __init__(self, mode: Mode, folder: Path, **settings: Any) -> None:
        self.mode = mode
        self.folder = folder
        shutil.copytree(PLUGINS, folder)
        self.notes = Notes()
        security = {"sandbox": mode.setting, **settings.pop("security", {})}
        config = {
            "plugin_dir": folder,
            "grace": 0.3,
            "hot_reload": False,
            "restart": {"max_restarts": 1000},
            "security": security,
            **settings,
        }
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnenforcedWarning)
            self.plugins = PluginManager(config, output=self.notes)

    def ask(self, operation: str, timeout: float | None = None, **params: Any) -> Any:
        return self.plugins.execute("everything", operation, params, timeout=timeout)

    @contextmanager
    def can(self, what: str) -> Iterator[None]:
        """What is done here works, or fails with the words that the table has for it."""
        words = self.mode.cannot.get(what)
        if words is None:
            yield
            return
        with pytest.raises(PluginError) as failure:
            yield
        assert re.search(words, str(failure.value))
        # The place where it would work is named, since nobody should have to look for it.
        assert "Process" in str(failure.value)

    def edit(self, old: str, new: str) -> None:
        """Change the source of `everything`."""
        file = self.folder / "everything.py"
        source = file.read_text()
        assert old in source
        fresh = file.with_suffix(".new")
        fresh.write_text(source.replace(old, new))
        fresh.replace(file)

    def undo(self) -> None:
        shutil.copy(PLUGINS / "everything.py", self.folder)


def _named(mode: Mode) -> str:
    return mode.name


@pytest.fixture(scope="module", params=MODES, ids=_named)
def lab(request, tmp_path_factory) -> Iterator[Lab]:
    """For what every sandbox has to do."""
    request.param.prepare()
    found = Lab(request.param, tmp_path_factory.mktemp("lab") / "plugins")
    with found.plugins:
        yield found


@pytest.fixture(scope="module", params=ISOLATING, ids=_named)
def cell(request, tmp_path_factory) -> Iterator[Lab]:
    """For what only an isolated plugin survives or is kept from."""
    request.param.prepare()
    found = Lab(
        request.param,
        tmp_path_factory.mktemp("cell") / "plugins",
        security={"resource_limits": {"max_memory": "300MB"}},
    )
    with found.plugins:
        yield found


@pytest.fixture(autouse=True)
def plugins_as_they_were(request):
    """Each test finds the plugins loaded from their own sources, with nothing counted."""
    yield
    for name in {"lab", "cell"} & set(request.fixturenames):
        found = request.getfixturevalue(name)
        found.undo()
        found.notes.__init__()


@pytest.fixture(scope="module", autouse=True)
def nothing_is_left_behind(request):
    """As for every test, but once for a module: its tests share managers."""
    shared_zygote.serve(request.path)
    with left_behind.nothing():
        yield
