"""The table of plugins."""

from __future__ import annotations

from collections.abc import Sequence

from nebula_lab.model.info import PluginInfo
from nebula_lab.views.facts import fact_list
from nebula_lab.views.quantities import counted, moment
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.table import Cell, Column, Table
from nebula_lab.views.tone import STATE_TONES

_COLUMNS = (
    Column("id"),
    Column("name"),
    Column("version"),
    Column("state"),
    Column("sandbox"),
    Column("reloads", right=True),
    Column("restarts", right=True),
    Column("last used"),
)
# Only where there is something to say: why a plugin failed.
_FAILURE = Column("why")


def plugin_list(plugins: Sequence[PluginInfo]) -> Rendered:
    """One row a plugin, with the reason beside those that failed."""
    failed = any(plugin.failure for plugin in plugins)
    return Table(
        caption=counted(len(plugins), "plugin"),
        columns=(*_COLUMNS, _FAILURE) if failed else _COLUMNS,
        rows=[(*_row(plugin), *([_reason(plugin)] if failed else ())) for plugin in plugins],
        empty="No plugins were found.",
    ).rendered()


def plugin_view(plugin: PluginInfo) -> Rendered:
    """One plugin by itself."""
    facts = [
        ("state", plugin.state.value),
        ("why", plugin.failure),
        ("what it does", plugin.description),
        ("sandbox", _sandbox(plugin)),
        ("process", plugin.pid),
        ("loaded at", plugin.loaded_at and moment(plugin.loaded_at)),
        ("last used", plugin.last_used and moment(plugin.last_used)),
        ("reloads", plugin.reload_count or ""),
        ("restarts", plugin.restarts or ""),
        ("source", plugin.path),
    ]
    caption = " ".join(dict.fromkeys([plugin.id, plugin.name, str(plugin.version)]))
    return fact_list(caption, facts, STATE_TONES[plugin.state])


def _reason(plugin: PluginInfo) -> str:
    """The first line of the failure; the whole of it is what a call of the plugin raises."""
    return (plugin.failure or "").partition("\n")[0].removeprefix(f"{plugin.id}: ")


def _row(plugin: PluginInfo) -> tuple[object, ...]:
    return (
        plugin.id,
        plugin.name,
        plugin.version,
        Cell(plugin.state.value, STATE_TONES[plugin.state]),
        _sandbox(plugin),
        plugin.reload_count,
        plugin.restarts,
        moment(plugin.last_used),
    )


def _sandbox(plugin: PluginInfo) -> str:
    return ", ".join(filter(None, [plugin.sandbox, "+".join(plugin.rights)]))
