"""`%%plugin ID`: the cell becomes the plugin's source, and serves."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from IPython.core.error import UsageError

from nebula_lab.errors import PluginError
from nebula_lab.manager import PluginManager
from nebula_lab.model.state import PluginState
from nebula_lab.notebook.session import NotebookSession
from nebula_lab.notebook.source_file import checked_id, read_cell, write_source
from nebula_lab.notebook.steering import plugin_folder, say_what_changed, standing
from nebula_lab.runtime.record import SERVING


def write_plugin(session: NotebookSession, plugin_id: str, cell: str) -> None:
    """Write a cell as a plugin's source, and load or reload it.

    Raises:
        UsageError: the id is none, or its source is elsewhere.
        PluginError: the new code does not come up; what served before goes on serving.
    """
    path = plugin_folder(session) / f"{checked_id(plugin_id)}.py"
    manager = session.manager
    _refuse_other_source(manager, plugin_id, path)
    try:
        metadata = read_cell(plugin_id, cell)
    except PluginError as error:
        _tell_what_serves(manager, plugin_id, error)
        raise
    before = manager.operations(plugin_id, load=False) if plugin_id in manager else ()
    with manager.hold_watch():  # which would reload what it sees written
        written = [path, write_source(path, plugin_id, cell, metadata)]
        session.say(f"Wrote {' and '.join(one.name for one in written if one)} in {path.parent}.")
        try:
            is_reloaded = _bring_up(manager, plugin_id)
        except PluginError as error:
            error.add_note(f"{path.name} has the new text.")
            _tell_what_serves(manager, plugin_id, error)
            raise
    session.say(standing(manager, plugin_id))
    session.say(_operations_line(before, manager.operations(plugin_id)))
    if is_reloaded:
        say_what_changed(session, plugin_id, but=("new: ", "gone: "))


def _refuse_other_source(manager: PluginManager, plugin_id: str, path: Path) -> None:
    if plugin_id not in manager:
        return
    source = manager.descriptor(plugin_id).path
    if source.resolve() != path.resolve():
        raise UsageError(
            f"the source of {plugin_id} is {source}, and a cell writes {path.name} only; edit it "
            f"there and run %plugin reload {plugin_id}"
        )


def _bring_up(manager: PluginManager, plugin_id: str) -> bool:
    """Load or reload the plugin; whether it was reloaded."""
    # A known plugin keeps its former description until a reload has proved the new one.
    if _state(manager, plugin_id) not in (None, PluginState.DISCOVERED):
        manager.reload_plugin(plugin_id)
        manager.rediscover()
        return True
    manager.rediscover()
    manager.load_plugin(plugin_id)
    return False


def _state(manager: PluginManager, plugin_id: str) -> PluginState | None:
    states = (one.state for one in manager.list_plugins() if one.id == plugin_id)
    return next(states, None)


def _tell_what_serves(manager: PluginManager, plugin_id: str, error: PluginError) -> None:
    if _state(manager, plugin_id) in SERVING:
        version = manager.descriptor(plugin_id).version
        error.add_note(f"The old version {version} of {plugin_id} goes on serving.")


def _operations_line(before: Iterable[str], after: Iterable[str]) -> str:
    """Such as `Operations: add, reset (new: reset; gone: clear).`"""
    old, new = set(before), set(after)
    changes = [
        f"{word}: {', '.join(sorted(names))}"
        for word, names in (("new", new - old), ("gone", old - new))
        if names
    ]
    listed = ", ".join(sorted(new)) or "decided by the plugin on each call"
    return f"Operations: {listed}" + (f" ({'; '.join(changes)})." if changes else ".")
