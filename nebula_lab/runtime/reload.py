"""Puts new code in the place of old without failing a call.

The new version proves itself in a second host, on a copy of the state, while the old one goes on
serving. Then calls are held, running ones finish, the state moves over, and the hosts change
places. Whatever goes wrong before that leaves the old host where it is.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from nebula_lab.errors import ManagerClosedError, PluginError
from nebula_lab.model import PluginState
from nebula_lab.runtime.archive import Archive
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.changed_together import Change, read_together
from nebula_lab.runtime.dependents import DependentNotifier
from nebula_lab.runtime.exchange import Exchange, Swap
from nebula_lab.runtime.lifecycle import Lifecycle
from nebula_lab.runtime.loading import Loader
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.reload_news import ReloadNews
from nebula_lab.runtime.reload_task import ROLLBACK, ReloadTask, holding, in_order
from nebula_lab.runtime.workers import Workers
from nebula_lab.trust.history import StoredVersion

_log = logging.getLogger("nebula_lab")


class Reloader:
    """Reloads plugins, and goes back to earlier versions of them."""

    def __init__(
        self,
        catalogue: Catalogue,
        loader: Loader,
        lifecycle: Lifecycle,
        exchange: Exchange,
        archive: Archive,
        dependents: DependentNotifier,
        workers: Workers,
        news: ReloadNews,
    ) -> None:
        self._catalogue = catalogue
        self._loader = loader
        self._lifecycle = lifecycle
        self._exchange = exchange
        self._archive = archive
        self._dependents = dependents
        self._workers = workers
        self._news = news

    def reload(
        self,
        plugin_id: str,
        cause: str = "asked",
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> tuple[str, ...]:
        """Load a plugin's files as they are now; one that is not loaded is loaded.

        Where its new version and other plugins that have changed on disk need each other, they are
        reloaded together, all or none.

        Args:
            plugin_id: the plugin.
            cause: one of `model.events.CAUSES`, for those who are told.
            is_wanted: asked when nobody else is at that plugin, which may have made it needless.

        Returns:
            The plugins whose new code serves now; none where it was not wanted.

        Raises:
            PluginError: why the new code can't serve; the old goes on, if there was one.
        """
        record = self._catalogue.record(plugin_id)
        return self._replace(
            ReloadTask(record, partial(read_together, self._catalogue, record), cause, is_wanted)
        )

    def rollback(self, plugin_id: str, wanted: str | None = None) -> StoredVersion:
        """Put an earlier version in the place of what serves; the files on disk stay as they are.

        Args:
            plugin_id: the plugin.
            wanted: a version, or the beginning of a digest; the one before this without.

        Returns:
            The version that serves now.

        Raises:
            VersionNotFoundError: it is not in the store.
            PluginError: why it can't serve; what served goes on.
        """
        record = self._catalogue.record(plugin_id)
        version = self._archive.find(record.descriptor, wanted)

        def recall() -> Sequence[Change]:
            change = record, self._archive.recall(version, record.descriptor)
            self._catalogue.require_fit(change)
            return (change,)

        self._replace(ReloadTask(record, recall, ROLLBACK, lambda: True))
        return version

    def _replace(self, task: ReloadTask) -> tuple[str, ...]:
        held: tuple[PluginRecord, ...] = (task.record,)
        try:
            while True:
                held = holding(held, partial(self._attempt, task, held))
                if not held:
                    return tuple(task.brought)
                self._prepare(task, held)
        finally:
            for record in task.woken - {task.record}:
                error = self._lifecycle.suspend_again(record)
                if error is not None:
                    _log.warning("%s was not suspended again: %s", record.id, error)

    def _attempt(
        self, task: ReloadTask, held: tuple[PluginRecord, ...]
    ) -> tuple[PluginRecord, ...]:
        """Take one step, with the life cycles of some plugins held.

        Returns:
            Those to prepare and to hold for the next step; none where all is done.
        """
        if task.former:  # and it has been loaded since
            former = dict(task.former)[task.record]
            self._news.note(task, task.record, former, Swap())
            self._dependents.notify(task.record, former.version)
            return ()
        if not task.brought and not task.is_wanted():
            return ()
        served = {record: record.descriptor for record in held}
        try:
            task.changes = ()
            task.changes = in_order(task.read())
            concerned = tuple(record for record, _ in reversed(task.changes))
            is_ready = {*concerned} <= {*held} and not any(map(task.needs_waking, concerned))
            if not is_ready or self._lacking(task):
                return concerned
            swaps = self._bring_in(task)
        except PluginError as error:
            self._news.tell_failure(task, error, served)
            raise
        for record, swap in swaps.items():
            self._news.note(task, record, served[record], swap)
        for record in swaps:
            self._dependents.notify(record, served[record].version)
        return () if task.record in swaps else (task.record,)

    def _bring_in(self, task: ReloadTask) -> Mapping[PluginRecord, Swap]:
        serving = [change for change in task.changes if change[0].state in SERVING]
        if serving:
            others = [change for change in task.changes if change not in serving]
            swaps = self._exchange.exchange(serving, others, is_recalled=task.is_rollback)
            for _, descriptor in () if task.is_rollback else serving:
                self._archive.note_soon(descriptor)
            return dict(zip((record for record, _ in serving), swaps, strict=True))
        former = [(one, one.descriptor) for one, _ in task.changes]
        self._catalogue.adopt(*task.changes)
        task.former, task.was_recalled = former, task.record.is_recalled
        task.record.is_recalled = task.is_rollback
        return {}

    # What has to be there first

    def _prepare(self, task: ReloadTask, records: Sequence[PluginRecord]) -> None:
        """Resume what is suspended, in case the new code fails, and load what the new code needs.

        Calls that come meanwhile are its as ever, and wait for no rehearsal. No lock is held.

        Raises:
            PluginError: something that the new code needs does not come up.
        """
        for record in records:
            if not task.needs_waking(record):
                continue
            # On another thread: an interrupt of this one is to leave it as it was.
            waking = self._workers.start(partial(self._loader.load, record.id))
            try:
                waking.result()
                task.woken.add(record)
            except ManagerClosedError:
                raise
            except PluginError as error:
                task.unable.add(record)
                _log.warning("%s does not come back as it was: %s", record.id, error)
        try:
            for plugin_id in self._lacking(task):
                task.loaded.add(plugin_id)
                self._loader.load(plugin_id)
            if task.former:
                self._load_described(task)
        except PluginError as error:
            self._news.tell_failure(task, error, dict(task.former))
            raise

    def _load_described(self, task: ReloadTask) -> None:
        """Load what did not serve, by its new description."""
        try:
            self._loader.load(task.record.id)
        except PluginError:
            holding([one for one, _ in task.former], partial(self._describe_as_before, task))
            raise

    def _describe_as_before(self, task: ReloadTask) -> tuple[PluginRecord, ...]:
        record = task.record
        is_another = record.descriptor is not dict(task.changes)[record]
        if record.state is PluginState.SUSPENDED and not is_another:
            # What it depends on did not come up. What was there may not fit any more.
            with contextlib.suppress(PluginError):
                self._catalogue.adopt(*task.former)
                record.is_recalled = task.was_recalled
        return ()

    def _lacking(self, task: ReloadTask) -> list[str]:
        """What is not up and has to be, of what the new code of plugins that serve depends on."""
        changing = {record.id for record, _ in task.changes}
        return [
            one.plugin_id
            for record, descriptor in task.changes
            for one in descriptor.dependencies
            if record.state in SERVING and not one.optional and one.plugin_id in self._catalogue
            if one.plugin_id not in changing | task.loaded
            if self._catalogue.record(one.plugin_id).state not in SERVING
        ]
