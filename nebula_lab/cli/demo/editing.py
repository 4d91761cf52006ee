"""Steps that edit a running plugin: the copy in the demo's own folder, never the user's file."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from nebula_lab import PluginManager
from nebula_lab.cli.demo.stage import Stage
from nebula_lab.errors import PluginError
from nebula_lab.model.events import PluginReloaded, ReloadFailed
from nebula_lab.views import error_box

_PLUGIN = "base_resource"
_KEY = "demo/kept"
_NEW_VERSION = "1.3.0"
_NEW_OPERATION = '''
    @operation(idempotent=True)
    def size(self) -> int:
        """How many values are kept."""
        return len(self._values)

'''
_BEFORE = "\n\ndef plugin_entry("


class Callers:
    """Calls an operation over and over while something else goes on.

    Args:
        plugins: the manager.
    """

    def __init__(self, plugins: PluginManager) -> None:
        self._plugins = plugins
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._call, name="demo callers")
        self.calls = 0
        self.failures: list[PluginError] = []

    def __enter__(self) -> Callers:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _call(self) -> None:
        while not self._enough.is_set():
            try:
                self._plugins.execute(_PLUGIN, "get", {"key": _KEY})
            except PluginError as error:
                self.failures.append(error)
            self.calls += 1


def edit_and_reload(stage: Stage) -> None:
    """Give a plugin a new operation while it is being called."""
    plugins = stage.plugins
    plugins[_PLUGIN].put(key=_KEY, value="since before the reload")
    entries = plugins[_PLUGIN].describe()["entries"]
    source, manifest = _files(stage)
    _edit(source, _BEFORE, _NEW_OPERATION + _BEFORE)
    _edit(manifest, str(plugins.descriptor(_PLUGIN).version), _NEW_VERSION)
    begin = time.monotonic()
    with Callers(plugins) as callers:
        plugins.reload_plugin(_PLUGIN)
    took = time.monotonic() - begin
    stage.say(f"reloaded {_PLUGIN} in {took * 1000:.0f} ms with its dependents up")
    version = stage.event(PluginReloaded, _PLUGIN).version
    stage.expect(str(version) == _NEW_VERSION, f"version {version} serves")
    stage.expect(plugins[_PLUGIN].size() == entries, "its new operation sees the old state")
    kept = plugins[_PLUGIN].get(key=_KEY)
    stage.expect(kept == "since before the reload", "what was kept before is still there")
    stage.expect(
        callers.calls > 0 and not callers.failures,
        f"none of {callers.calls} calls made meanwhile failed",
    )


def break_and_reload(stage: Stage) -> None:
    """Save code that can't run: first in its syntax, then in its behaviour."""
    source, _ = _files(stage)
    good = source.read_text()
    _edit(source, "def plugin_entry(", "def plugin_entry((")
    _expect_refusal(stage, "code that does not parse is refused, with the line")
    source.write_text(good)
    _edit(source, "self._values = dict(state[", "self._values = dict(stat[")
    _expect_refusal(stage, "code that can't take over the state is refused, with its traceback")
    source.write_text(good)
    stage.plugins.reload_plugin(_PLUGIN)
    stage.expect(stage.plugins[_PLUGIN].get(key=_KEY) is not None, "mended, it reloads again")


def _expect_refusal(stage: Stage, fact: str) -> None:
    pid = stage.pid(_PLUGIN)
    with stage.expect_error(PluginError, fact) as caught:
        stage.plugins.reload_plugin(_PLUGIN)
    for error in caught:
        stage.show(error_box(error))
    if caught:
        stage.event(ReloadFailed, _PLUGIN)
    kept = stage.plugins[_PLUGIN].get(key=_KEY)
    stage.expect(
        kept == "since before the reload" and stage.pid(_PLUGIN) == pid,
        "the old code goes on serving, in the same process, with its state",
    )


def _files(stage: Stage) -> tuple[Path, Path]:
    return stage.workspace / f"{_PLUGIN}.py", stage.workspace / f"{_PLUGIN}.toml"


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise ValueError(f"{path.name} has no {old.strip()!r} to edit; is it another sample?")
    path.write_text(text.replace(old, new, 1))
