"""What is told of a reload when it is over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from nebula_lab.errors import PluginError
from nebula_lab.metrics import ManagerCounters
from nebula_lab.model import PluginDescriptor, PluginState
from nebula_lab.model.events import PluginReloaded, ReloadFailed
from nebula_lab.model.listing import listed
from nebula_lab.runtime.archive import Archive
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.exchange import Swap
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.reload_task import ReloadTask


class ReloadNews:
    """Tells whoever listens how reloads ended.

    Args:
        archive: knows what is different.
    """

    def __init__(self, archive: Archive, dispatcher: Dispatcher, counters: ManagerCounters) -> None:
        self._archive = archive
        self._dispatcher = dispatcher
        self._counters = counters

    def note(
        self, task: ReloadTask, record: PluginRecord, served: PluginDescriptor, swap: Swap
    ) -> None:
        """Count and tell that new code of a plugin serves.

        Args:
            task: what it is a part of.
            record: the plugin.
            served: what served before.
            swap: how the two changed places.
        """
        task.brought.append(record.id)
        record.reload_count += 1
        if record.state in SERVING:
            record.failure = None
            record.forget_crashes()
        record.recorder.forget_trouble()
        self._counters.reloads += 1
        record.last_reload = PluginReloaded(
            record.id,
            datetime.now(UTC),
            record.descriptor.version,
            time.monotonic() - task.began,
            former=served.version,
            held=swap.held,
            changes=swap.changes,
            left_out=swap.left_out,
            cause=task.cause,
        )
        self._dispatcher.emit(record.last_reload)

    def tell_failure(
        self, task: ReloadTask, error: PluginError, served: Mapping[PluginRecord, PluginDescriptor]
    ) -> None:
        """Tell, of each plugin concerned, that its new code does not serve, and what is new in it.

        Args:
            task: what failed.
            error: why; what is missing in it is added.
            served: what was there when it began.
        """
        error.plugin_id = error.plugin_id or task.record.id  # one of the whole folder has none
        failed = {record.id: (record, descriptor) for record, descriptor in task.changes}
        record, descriptor = failed.get(error.plugin_id, (task.record, None))
        if record is task.record and task.changes:
            descriptor = next(one for other, one in task.changes if other is record)
        error.diff = self._archive.diff(served.get(record, record.descriptor), descriptor)
        if len(task.changes) > 1:
            names = listed([f"{one.id} {to.version}" for one, to in task.changes])
            together = f"{names} need each other, so none of them serves before all can."
            error.hint = f"{error.hint}\n  {together}" if error.hint else together
        for one in [each for each, _ in task.changes] or [task.record]:
            goes_on = one.state in SERVING or one.state is PluginState.SUSPENDED
            now = datetime.now(UTC)
            one.note_trouble(error)
            event = ReloadFailed(one.id, now, str(error), error, goes_on, task.cause)
            self._dispatcher.emit(event)
