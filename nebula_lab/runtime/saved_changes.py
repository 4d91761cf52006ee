"""What a manager does when files of plugins have changed: it reloads, reads anew, or unloads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial

from msgspec import Struct

from nebula_lab.errors import (
    DependencyError,
    DependentsLoadedError,
    ManagerClosedError,
    NotFoundError,
    PluginError,
    VersionConflictError,
)
from nebula_lab.model import PluginState, Problem, SourceLocation
from nebula_lab.model.events import SavedChange
from nebula_lab.model.listing import listed
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.changed_together import read_together
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.lifecycle import Lifecycle
from nebula_lab.runtime.output import unattended
from nebula_lab.runtime.plugin_search import PluginSearch, is_there
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.runtime.shelf import Shelf
from nebula_lab.runtime.workers import Workers
from nebula_lab.watch.snapshot import lasting, take
from nebula_lab.watch.subject import Changes, PluginChange

__all__ = ["SavedChanges"]

# How many plugins are reloaded at once: a checkout may change a hundred.
_AT_ONCE = 4
# Seconds that a file may be gone before its plugin is unloaded.
_MISSING = 1.0
# What another plugin's reload may put right.
_REFUSALS = (DependencyError, VersionConflictError, DependentsLoadedError)


class _Failed(Struct, frozen=True):
    """A save that does not serve.

    Attributes:
        error: why.
        reloads: how often the plugin had been reloaded by then.
    """

    error: PluginError
    reloads: int


class SavedChanges:
    """Acts upon what the watcher tells, on threads of its own, one at a time for each plugin.

    A change that comes while a plugin is being reloaded is dealt with afterwards; of several the
    last one.

    Args:
        reload: reloads a plugin, if a function says that it is wanted, and those that have to
            change with it; their ids. Raises a PluginError where the new code can't serve.
        on_done: called when what is to be watched may have become another.
        signed: whether the signatures of plugins make a difference.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        lifecycle: Lifecycle,
        shelf: Shelf,
        workers: Workers,
        dispatcher: Dispatcher,
        reload: Callable[[str, Callable[[], bool]], tuple[str, ...]],
        on_done: Callable[[], object],
        *,
        signed: bool,
    ) -> None:
        self._catalogue = catalogue
        self._lifecycle = lifecycle
        self._shelf = shelf
        self._workers = workers
        self._dispatcher = dispatcher
        self._reload = reload
        self._on_done = on_done
        self._signed = signed
        self._search = PluginSearch(catalogue, dispatcher)
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._running: set[str] = set()
        self._waiting: dict[str, PluginChange] = {}
        self._failed: dict[str, _Failed] = {}
        self._stranded: dict[str, Problem] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Plugins that go on although their files are gone."""
        return tuple(self._stranded.values())

    def take(self, changes: Changes) -> None:
        """Act upon changes; returns at once."""
        self._workers.start_unattended(partial(self._act, changes))

    def reconsider(self) -> None:
        """Unload what had to go on without its files, if it need not any more; returns at once."""
        if self._stranded:
            self.take(Changes(discovery=True))

    def close(self) -> None:
        """Wait for nothing any more."""
        self._ending.set()

    def _act(self, changes: Changes) -> None:
        unattended.set(True)
        concerned = {change.plugin_id: change for change in changes.plugins}
        again: set[str] = set()
        if changes.discovery or any(change.missing for change in changes.plugins):
            for change in self._search.changes(again):
                concerned.setdefault(change.plugin_id, change)
            again -= {change.plugin_id for change in changes.plugins}
            self._try_refused()  # what they lacked may have come
        place = {plugin_id: n for n, plugin_id in enumerate(self._catalogue.resolution.load_order)}
        ordered = sorted(concerned.values(), key=lambda one: place.get(one.plugin_id, len(place)))
        for start in range(0, len(ordered), _AT_ONCE):
            chunk = ordered[start : start + _AT_ONCE]
            work = [partial(self._in_turn, one, again=one.plugin_id in again) for one in chunk]
            for future in self._workers.all(work):
                future.result()
        self._on_done()

    # One plugin

    def _in_turn(self, change: PluginChange, *, again: bool = False) -> None:
        """Deal with a change, or leave it to the thread that is at that plugin.

        Args:
            change: of a plugin.
            again: try its files even if they have been tried.
        """
        unattended.set(True)
        plugin_id = change.plugin_id
        with self._lock:
            if plugin_id in self._running:
                self._waiting[plugin_id] = change
                return
            self._running.add(plugin_id)
        while True:
            try:
                self._deal_with(change, again=again)
            except (NotFoundError, ManagerClosedError):
                pass  # there is nothing to be done about it any more
            finally:
                with self._lock:
                    following = self._waiting.pop(plugin_id, None)
                    if following is None:
                        self._running.discard(plugin_id)
            if following is None:
                return
            change, again = following, False

    def _deal_with(self, change: PluginChange, *, again: bool) -> None:
        record = self._catalogue.record(change.plugin_id)
        if change.missing and not is_there(record):
            if not self._catalogue.has_moved(record):
                self._missing(record)
                return
        else:
            self._stranded.pop(record.id, None)
        with record.lifecycle:  # whoever reloads it now may be taking the same change
            state = record.state
            if state is PluginState.DISCOVERED:
                return
            if not again and not self._differs(record):
                self._as_before(record, change)
                return
        suspended = state is PluginState.SUSPENDED
        self._take_new_code(record, change, again=again, suspended=suspended)

    def _differs(self, record: PluginRecord) -> bool:
        """Whether there is anything on disk that has not been tried."""
        snapshot = take(record.descriptor, signed=self._signed)
        read = self._shelf.last_read(record.id)
        if snapshot.missing or snapshot.fault or read is None:
            return True
        return snapshot.files != lasting(read, signed=self._signed)

    def _as_before(self, record: PluginRecord, change: PluginChange) -> None:
        if self._failed.pop(record.id, None) is not None and record.failure is None:
            self._tell(record, change, reloaded=False)

    def _take_new_code(
        self, record: PluginRecord, change: PluginChange, *, again: bool, suspended: bool
    ) -> None:
        try:
            try:
                brought = self._reload(record.id, lambda: again or self._differs(record))
            finally:
                if suspended:
                    self._suspend_again(record)
        except ManagerClosedError:
            raise
        except PluginError as error:
            self._failed[record.id] = _Failed(error, record.reload_count)
            self._tell(record, change, error)
            return
        for one in map(self._catalogue.record, brought):
            self._failed.pop(one.id, None)
            self._stranded.pop(one.id, None)
            self._tell(one, change if one is record else PluginChange(one.id, change.began))
        if any(self._is_blamed(self._catalogue.record(one)) for one in brought):
            self._search.search()
        self._try_refused()

    def _suspend_again(self, record: PluginRecord) -> None:
        """Suspend what was resumed for its new code alone, if nobody has called it since."""
        error = self._lifecycle.suspend_again(record)
        if error is not None:
            self._search.note(f"it can't be suspended again: {error.message}", record.id)

    def _is_blamed(self, record: PluginRecord) -> bool:
        """Whether there is still a problem from when its file could not be read."""
        return any(
            problem.location is not None and problem.location.path == record.descriptor.path
            for problem in self._catalogue.problems
        )

    def _try_refused(self) -> None:
        """Try again what was refused for others, where those say nothing against it any more."""
        now = time.monotonic()
        for plugin_id, failed in list(self._failed.items()):
            if isinstance(failed.error, _REFUSALS) and self._fits_now(plugin_id, failed):
                self._failed.pop(plugin_id, None)
                change = PluginChange(plugin_id, now)
                self._workers.start_unattended(partial(self._in_turn, change, again=True))

    def _fits_now(self, plugin_id: str, failed: _Failed) -> bool:
        try:
            record = self._catalogue.record(plugin_id)
            if record.reload_count != failed.reloads:
                return False  # somebody has chosen since what is to serve
            read_together(self._catalogue, record)
        except PluginError:
            return False
        return True

    def _tell(
        self,
        record: PluginRecord,
        change: PluginChange,
        error: PluginError | None = None,
        *,
        reloaded: bool = True,
    ) -> None:
        brought = record.last_reload if reloaded and error is None else None
        self._dispatcher.emit(
            SavedChange(
                record.id,
                datetime.now(UTC),
                record.descriptor.version,
                change.files,
                time.monotonic() - change.began,
                error,
                reloaded,
                record.state,
                () if brought is None else brought.changes,
                {} if brought is None else brought.left_out,
            )
        )

    # Files that are gone

    def _missing(self, record: PluginRecord) -> None:
        """Unload a plugin whose files are gone and stay gone."""
        self._ending.wait(_MISSING)  # a tool may be on its way to write them anew
        if self._ending.is_set() or self._search.search() is None:
            return
        if is_there(record) or self._catalogue.has_moved(record):
            return  # the watcher tells of what came
        try:
            lost = self._lifecycle.withdraw(record.id)
        except DependentsLoadedError:
            self._strand(record, self._lifecycle.needing(record.id))
            return
        self._stranded.pop(record.id, None)
        self._failed.pop(record.id, None)
        if lost is not None:
            self._search.note(f"its file is gone, and its state is lost: {lost.message}", record.id)
        self._search.search()

    def _strand(self, record: PluginRecord, needing: Iterable[str]) -> None:
        who = listed(list(needing))
        message = f"its file is gone; it goes on, because {who} can't do without it"
        if record.id not in self._stranded:
            self._search.note(message, record.id)
        self._stranded[record.id] = Problem(
            kind="file-gone",
            message=message,
            plugin_id=record.id,
            location=SourceLocation(record.descriptor.path),
            cure=f"Put the file back, or unload {who}: then it is unloaded too.",
        )
