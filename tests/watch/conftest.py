"""A watcher on real files, and what it has told."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

import pytest

from nebula_lab import PluginManager
from nebula_lab.discovery import read_descriptor
from nebula_lab.model.events import SavedChange
from nebula_lab.trust.collecting import collect
from nebula_lab.watch.snapshot import lasting
from nebula_lab.watch.subject import Root, Subject
from nebula_lab.watch.watcher import Watcher

SOURCE = 'PLUGIN_METADATA = {{"id": "{id}", "version": "1.0.0"}}\n{body}\n'


def source(plugin_id: str, body: str = "") -> str:
    return SOURCE.format(id=plugin_id, body=body)


class Scene:
    """A folder of plugins that is watched.

    Attributes:
        folder: it.
        told: the changes so far.
        reasons: for polling.
    """

    def __init__(self, tmp_path: Path) -> None:
        self.top = tmp_path
        self.folder = tmp_path / "plugins"
        self.folder.mkdir()
        self.told: list = []
        self.times: list[float] = []
        self.reasons: list[str] = []
        self.watcher: Watcher | None = None
        self._came = threading.Condition()
        self._loaded: dict[str, Subject] = {}
        self._marks = 0

    def write(self, name: str, body: str = "") -> Path:
        """A plugin of one file, or a file of a package."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source(path.stem, body) if "/" not in name else body)
        return path

    def load(self, path: Path) -> str:
        """Count a plugin as loaded as it is now; its id."""
        descriptor = read_descriptor(path)
        self._loaded[descriptor.id] = Subject(descriptor, lasting(collect(descriptor).files))
        if self.watcher is not None:
            self.watcher.refresh()
        return descriptor.id

    def watch(self, *, levels: int | None = 1, root: Path | None = None) -> None:
        self.mark = self.folder / "mark.py"
        self.mark.write_text(source("mark"))
        self.load(self.mark)
        self.watcher = Watcher(
            lambda: list(self._loaded.values()),
            [Root(root or self.folder, levels)],
            self._take,
            self.reasons.append,
        )
        self.watcher.start()
        assert self.watcher.is_up.wait(30)
        self.settle()

    def _take(self, changes) -> None:
        at = time.monotonic()
        with self._came:
            self.told.append(changes)
            self.times.append(at)
            self._came.notify_all()

    def wait_for(self, what, timeout: float = 30.0):
        """The first of the changes for which `what` is true."""
        with self._came:
            self._came.wait_for(lambda: any(map(what, self.told)), timeout)
            found = [one for one in self.told if what(one)]
        assert found, f"not told within {timeout} s; told: {self.told}"
        return found[0]

    def changed(self, plugin_id: str):
        """Wait until a change of a plugin is told; it."""
        told = self.wait_for(lambda changes: any(p.plugin_id == plugin_id for p in changes.plugins))
        return next(p for p in told.plugins if p.plugin_id == plugin_id)

    def settle(self) -> None:
        """Wait until all that was done up to now has been told, by way of one more change."""
        for _ in range(2):  # the second, since groups that settle at leisure may come after a mark
            self._marks += 1
            before = self.count("mark")
            fresh = self.top / "mark.new"
            fresh.write_text(source("mark", f"# {self._marks}"))
            fresh.replace(self.mark)
            with self._came:
                came = self._came.wait_for(partial(self._was_told_more_than, before), 30)
            assert came, "a change after all others was not told"

    def _was_told_more_than(self, before: int) -> bool:
        return self.count("mark") > before

    def ids(self, changes) -> list[str]:
        """The plugins of which changes are."""
        return [one.plugin_id for one in changes.plugins]

    def count(self, plugin_id: str) -> int:
        """How often a change of a plugin was told."""
        return sum(plugin_id in self.ids(changes) for changes in self.told)

    def searches(self) -> int:
        """How often a search for plugins was asked for."""
        return sum(changes.discovery for changes in self.told)

    def forget(self) -> None:
        self.told.clear()
        self.times.clear()


@pytest.fixture
def scene(tmp_path):
    scene = Scene(tmp_path)
    yield scene
    if scene.watcher is not None:
        scene.watcher.close()


COUNTER = """
from nebula_lab.plugin import Plugin, operation
PLUGIN_METADATA = {metadata!r}
{top}
class It(Plugin):
    def initialize(self, config):
        self.count = 0
        {initialize}
    @operation
    def up(self) -> list:
        self.count += 1
        return [{answer!r}, self.count]
    def save_state(self):
        return self.count
    def restore_state(self, state):
        self.count = state
def plugin_entry():
    return It()
"""


class Shown:
    """An output sink that keeps what it is shown."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, stream, text):
        self.text += text

    def display(self, action, bundle): ...

    def log(self, level, logger, message): ...

    def progress(self, label, done, total, text): ...


class Live:
    """A manager on a folder of plugins, and what came of saves."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "plugins"
        self.folder.mkdir()
        self.events: list = []
        self.plugins: PluginManager | None = None
        self.shown = Shown()
        self._marks = 100
        self._came = threading.Condition()

    def write(
        self,
        name: str,
        answer: object = 1,
        *,
        plugin_id: str = "",
        top: str = "",
        initialize: str = "",
        below: str = "",
        **metadata: object,
    ) -> Path:
        """Save a plugin that counts, and answers with `answer` and the count."""
        path = self.folder / f"{name}.py"
        described = {"id": plugin_id or name, "version": "1.0.0", **metadata}
        text = COUNTER.format(metadata=described, top=top, initialize=initialize, answer=answer)
        fresh = path.with_suffix(".tmp")
        fresh.write_text(text + below)
        fresh.replace(path)
        return path

    def open(self, sandbox: str = "None", **settings: object) -> PluginManager:
        config = {
            "plugin_dir": self.folder,
            "grace": 0.3,
            "security": {"sandbox": sandbox},
            **settings,
        }
        self.write("mark")
        self.plugins = PluginManager(config, output=self.shown)
        self.plugins.subscribe(self._take)
        return self.plugins

    def watch(self) -> PluginManager:
        """Have it watch now, rather than when there is time."""
        self.plugins.load_plugin("mark")
        self.plugins.watch()
        return self.plugins

    def _take(self, event) -> None:
        with self._came:
            self.events.append(event)
            self._came.notify_all()

    def wait_for(self, kind: type, plugin_id: str | None = None, *, after: int = 0):
        """The first event of a kind behind the first `after` events."""

        def found():
            return [
                event
                for event in self.events[after:]
                if isinstance(event, kind) and plugin_id in (None, event.plugin_id)
            ]

        with self._came:
            assert self._came.wait_for(found, 60), f"no {kind.__name__}: {self.events}"
            return found()[0]

    def saved(self, plugin_id: str, save, /, *arguments: object, **options: object):
        """Save something, and wait until that has been dealt with; what came of it."""
        before = len(self.events)
        save(*arguments, **options)
        return self.wait_for(SavedChange, plugin_id, after=before)

    def count(self, kind: type, plugin_id: str) -> int:
        return sum(isinstance(e, kind) and e.plugin_id == plugin_id for e in self.events)

    def settle(self) -> None:
        """Wait until what was saved up to now has been dealt with, by way of another plugin."""
        for _ in range(2):
            self._marks += 1
            self.saved("mark", self.write, "mark", self._marks)


@pytest.fixture
def live(tmp_path):
    live = Live(tmp_path)
    yield live
    if live.plugins is not None:
        live.plugins.close()
