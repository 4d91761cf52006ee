"""One reload on its way, and the order in which what it concerns is taken."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from graphlib import TopologicalSorter

from nebula_lab.model import PluginState
from nebula_lab.runtime.changed_together import Change
from nebula_lab.runtime.record import PluginRecord

ROLLBACK = "rollback"


class ReloadTask:
    """One reload or rollback.

    Args:
        record: of what.
        read: gives what is to serve, and what has to change with it.
        cause: one of `model.events.CAUSES`.
        is_wanted: asked when nobody else is at that plugin.

    Attributes:
        began: when, on the clock of `time.monotonic`.
        changes: what was read last.
        unable: those that are suspended and do not come back as they were.
        woken: those that were resumed for this.
        loaded: the ids of those that were loaded because the new code needs them.
        brought: those whose new code serves.
        former: what was there before the description of one that does not serve was replaced; it
            is to be loaded then.
        was_recalled: whether that was an earlier version.
    """

    def __init__(
        self,
        record: PluginRecord,
        read: Callable[[], Sequence[Change]],
        cause: str,
        is_wanted: Callable[[], bool],
    ) -> None:
        self.record = record
        self.read = read
        self.cause = cause
        self.is_wanted = is_wanted
        self.began = time.monotonic()
        self.changes: Sequence[Change] = ()
        self.unable: set[PluginRecord] = set()
        self.woken: set[PluginRecord] = set()
        self.loaded: set[str] = set()
        self.brought: list[str] = []
        self.former: Sequence[Change] = ()
        self.was_recalled = False

    @property
    def is_rollback(self) -> bool:
        return self.cause == ROLLBACK

    def needs_waking(self, record: PluginRecord) -> bool:
        return record.state is PluginState.SUSPENDED and record not in self.unable


def holding(
    records: Sequence[PluginRecord], work: Callable[[], tuple[PluginRecord, ...]]
) -> tuple[PluginRecord, ...]:
    """Do something while the life cycles of plugins are held.

    They are taken in the order of the ids. That of the dependencies is another one for each of two
    reloads that change the same plugins, since it says nothing of those that are unrelated.
    """
    if not records:
        return work()
    first, *others = sorted(records, key=lambda record: record.id)
    with first.lifecycle:
        return holding(others, work)


def in_order(changes: Sequence[Change]) -> Sequence[Change]:
    """Changes with what others depend on first."""
    by_id = {record.id: (record, descriptor) for record, descriptor in changes}
    needs = {
        plugin_id: [
            one.plugin_id
            for one in descriptor.dependencies
            if one.plugin_id in by_id and not one.optional
        ]
        for plugin_id, (_, descriptor) in by_id.items()
    }
    return [by_id[plugin_id] for plugin_id in TopologicalSorter(needs).static_order()]
