"""How files are watched, and what came of a save."""

from __future__ import annotations

from pathlib import Path

from nebula_lab.model import PluginState
from nebula_lab.model.events import (
    Event,
    PluginDiscovered,
    PluginRemoved,
    SavedChange,
    WatchNoted,
)
from nebula_lab.model.listing import listed
from nebula_lab.views.error_boxes import error_box
from nebula_lab.views.reload_news import reload_details
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped_prose, prose
from nebula_lab.views.table import Column, Table
from nebula_lab.watch.status import WatchStatus

_COLUMNS = (Column("folder"), Column("watched by"), Column("because"))
_FILES = 3  # that are named
_GOES_ON = {
    PluginState.SUSPENDED: "stays suspended, and goes on with its next call",
    PluginState.FAILED: "is Failed",
}


def watch_view(status: WatchStatus) -> Rendered:
    """What is watched, and how."""
    if not status.on:
        return _sentence("Files are not watched; %plugin watch on begins it.")
    if not status.running:
        return _sentence("Files are watched from when the first plugin has been loaded.")
    watched = listed(list(status.plugins)) or "no plugin yet, only for new ones"
    rows = [(_place(one.path), one.how, one.why or "—") for one in status.folders]
    return Table(
        f"Watching the files of {watched}", _COLUMNS, rows, "No folder is watched."
    ).rendered()


def _place(path: str) -> str:
    """A folder's path from the working folder, if it is below that."""
    here = Path.cwd()
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path


def news_view(event: Event) -> Rendered | None:
    """What a person is to know of an event of the watching; None for nothing."""
    if isinstance(event, SavedChange) and event.error is not None:
        goes_on = _GOES_ON.get(event.state, "goes on serving")
        note = f"{event.plugin_id} {event.version} {goes_on}. The next save tries again."
        return error_box(event.error, notes=[note])
    sentence = _news(event)
    return None if sentence is None else _sentence(sentence)


def _news(event: Event) -> str | None:
    if isinstance(event, SavedChange):
        if not event.reloaded:
            return f"{event.plugin_id} {event.version}: its files are again as they run."
        return "\n  ".join([_came_up(event), *reload_details(event.changes, event.left_out)])
    if isinstance(event, PluginDiscovered):
        return f"There is a new plugin: {event.plugin_id} {event.version} in {event.path.name}."
    if isinstance(event, PluginRemoved):
        kept = " Its state is kept for an hour." if event.state_kept else ""
        return f"{event.plugin_id} is no longer there: nothing describes it in {event.path}.{kept}"
    if isinstance(event, WatchNoted):
        return f"{event.plugin_id or 'Watching'}: {event.message}."
    return None


def _came_up(event: SavedChange) -> str:
    who, took = f"{event.plugin_id} {event.version}", f"{event.duration:.2f} s after the save"
    if event.state is PluginState.SUSPENDED:
        rests = "is suspended again until its next call"
        return f"{who} came up{_files(event.files)}, {took}, and {rests}."
    return f"{who} serves{_files(event.files)}, {took}."


def _files(files: tuple[str, ...]) -> str:
    if not files:
        return ""
    more = f" and {len(files) - _FILES} more" if len(files) > _FILES else ""
    return f" with new {', '.join(files[:_FILES])}{more}"


def _sentence(text: str) -> Rendered:
    lines = "<br>".join(escaped_prose(text).split("\n"))
    return Rendered(prose(text), f"<p>{lines}</p>")
