"""The thread that watches: events come in, and plugins that have changed go out."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue

from nebula_lab.watch.events import FolderEvent, Kind
from nebula_lab.watch.folders import Folders
from nebula_lab.watch.names import is_passing, may_describe
from nebula_lab.watch.plan import DISCOVERY, Plan, plan_for
from nebula_lab.watch.settling import QUIET_OF_SEVERAL, Settling
from nebula_lab.watch.snapshot import Snapshot, take
from nebula_lab.watch.status import WatchedFolder
from nebula_lab.watch.subject import Changes, PluginChange, Root, Subject

__all__ = ["Watcher", "POLL"]

_log = logging.getLogger("nebula_lab")
# Seconds between two looks at whether each path still leads to the folder that is watched: what
# replaces a folder far above is told by no event.
_BEAT = 2.0
# Seconds between two looks at folders that are polled, and while something goes on in them.
POLL = 1.0
_POLL_WHILE_SETTLING = QUIET_OF_SEVERAL / 2
# Seconds between two plans, where hundreds of names come one after the other.
_PLANNING = 0.020


class Watcher:
    """Watches plugins and the places where they are looked for.

    Args:
        subjects: gives what is to be watched; called by the thread that watches, after each
            `refresh`.
        roots: where plugins are looked for.
        on_changes: told what has changed, by the thread that watches; must not take long.
        on_polling: told why folders are polled and nothing else, each reason once.
    """

    def __init__(
        self,
        subjects: Callable[[], Iterable[Subject]],
        roots: Sequence[Root],
        on_changes: Callable[[Changes], object],
        on_polling: Callable[[str], object],
    ) -> None:
        self._get_subjects = subjects
        self._roots = roots
        self._on_changes = on_changes
        self._on_polling = on_polling
        self._inbox: SimpleQueue[FolderEvent | None] = SimpleQueue()
        self._ending = threading.Event()
        self._holders = 0
        self._holding = threading.Lock()
        self._is_stale = True  # there are other subjects than those that are known here
        self._is_restructured = True  # names have come or gone: the plan is to be drawn anew
        self._subjects: dict[str, Subject] = {}
        self._known: dict[str, Snapshot] = {}
        self._settling: dict[str, Settling] = {}
        # Files of loaded plugins that have come or gone, and whether they were there before.
        self._moving: dict[str, bool] = {}
        self._plan = Plan()
        self._wanted: dict[str, bool] = {}
        self._reasons: set[str] = set()
        self._next_beat = self._next_poll = self._next_plan = 0.0
        self.folders: tuple[WatchedFolder, ...] = ()
        self._thread = threading.Thread(target=self._run, name="nebula-watch", daemon=True)

    # For any thread

    def start(self) -> None:
        """Begin to watch, on a thread of its own."""
        self._thread.start()

    @property
    def plugins(self) -> tuple[str, ...]:
        """The ids of the loaded plugins that are watched."""
        return tuple(sorted(self._known))

    def refresh(self) -> None:
        """Say that there are other subjects now."""
        self._is_stale = True
        self._inbox.put(None)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Tell of nothing meanwhile; what happens is looked at afterwards."""
        with self._holding:
            self._holders += 1
        try:
            yield
        finally:
            with self._holding:
                self._holders -= 1
            self._inbox.put(None)

    def close(self) -> None:
        """Tell of nothing any more, and end the threads."""
        self._ending.set()
        self._inbox.put(None)
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join()

    # The thread

    def _run(self) -> None:
        folders = Folders(self._inbox.put)
        try:
            while not self._ending.is_set():
                try:
                    self._turn(folders)
                except Exception:  # noqa: BLE001 - else one surprise would end all watching
                    _log.exception("a change of files could not be looked at")
                    self._is_restructured = True
                    self._ending.wait(_BEAT)
        finally:
            folders.close()

    def _turn(self, folders: Folders) -> None:
        self._take_in(folders)
        if self._ending.is_set():
            return
        now = time.monotonic()
        if self._is_stale:
            self._take_subjects(now)
        if now >= self._next_beat:
            self._next_beat = now + _BEAT
            self._arrange(folders)
        if folders.has_polled and now >= self._next_poll:
            folders.poll()
            wait = _POLL_WHILE_SETTLING if self._settling else POLL
            self._next_poll = time.monotonic() + wait
        if not self._holders:
            self._tell(folders, time.monotonic())

    def _take_in(self, folders: Folders) -> None:
        """Wait until there is something to do, and take in all that has come."""
        if self._is_stale:
            return
        times = [self._next_beat]
        if folders.has_polled:
            times.append(self._next_poll)
        if self._is_restructured:
            times.append(self._next_plan)
        if not self._holders:
            times += [one.due for one in self._settling.values()]
        wait = min(times) - time.monotonic()
        try:
            item = self._inbox.get(timeout=max(0.0, wait))
            while True:
                if item is not None:
                    self._sort(item, folders)
                item = self._inbox.get_nowait()
        except Empty:
            pass

    def _sort(self, event: FolderEvent, folders: Folders) -> None:
        """Find out for whom an event is."""
        if event.kind is Kind.OVERFLOW:
            self._is_restructured = True
            for key in self._plan.all_keys():
                self._touch(key, event)
        elif event.kind is Kind.LOST:
            folders.lost(event.folder)
            self._is_restructured = True
            for key in self._plan.keys_below(event.folder):
                self._touch(key, event)
        elif event.name and not is_passing(event.name):
            self._sort_name(event)

    def _sort_name(self, event: FolderEvent) -> None:
        if event.name in self._plan.leading.get(event.folder, ()):
            self._is_restructured = True
            for key in self._plan.keys_below(event.path):
                self._touch(key, event)
        interests = self._plan.folders.get(event.folder)
        if interests is None:
            return
        is_new = event.name not in self._plan.present[event.folder]
        if is_new or event.kind is Kind.WENT:
            self._is_restructured = True
        keys = {one.key for one in interests if one.concerns(event.name, is_new=is_new)}
        if DISCOVERY in keys:
            keys.discard(DISCOVERY)
            # The text of a plugin that is loaded is that plugin's affair alone.
            news = is_new or event.kind is Kind.WENT or not keys
            if news and may_describe(event.name):
                self._touch(DISCOVERY, event)
                if keys:
                    self._moving.setdefault(event.path, not is_new)
        for key in keys:
            self._touch(key, event)

    def _touch(self, key: str, event: FolderEvent) -> None:
        settling = self._settling.get(key)
        if settling is None:
            settling = self._settling[key] = Settling(event.at)
        settling.add(event)

    # What there is to watch

    def _take_subjects(self, now: float) -> None:
        self._is_stale = False
        self._subjects = {one.descriptor.id: one for one in self._get_subjects()}
        loaded = {key: one.files for key, one in self._subjects.items() if one.files is not None}
        for key in [key for key in self._known if key not in loaded]:
            del self._known[key]
            self._settling.pop(key, None)
        for key, files in loaded.items():
            if key not in self._known:
                self._known[key] = Snapshot(files)
                # It may have been saved between its load and now.
                self._settling.setdefault(key, Settling(now))
        self._is_restructured = True

    def _arrange(self, folders: Folders) -> None:
        """Watch what there is to watch now. Folders that have been replaced count as changed."""
        if self._is_restructured:
            self._is_restructured = False
            seen = {key: snapshot.files for key, snapshot in self._known.items()}
            self._plan = plan_for(self._roots, self._subjects.values(), seen)
            self._wanted = {
                **dict.fromkeys(self._plan.leading, True),
                **dict.fromkeys(self._plan.folders, False),
            }
        at = time.monotonic()
        for folder in folders.update(self._wanted):
            self._is_restructured = True
            for key in self._plan.keys_below(folder):
                self._touch(key, FolderEvent(folder, "", Kind.DONE, at))
        self.folders = tuple(one for one in folders.status() if one.path in self._plan.folders)
        alone = {folder.why for folder in self.folders if folder.how == "polling"}
        for reason in alone - self._reasons:
            self._reasons.add(reason)
            self._on_polling(reason)

    # What has changed

    def _tell(self, folders: Folders, now: float) -> None:
        is_due = any(one.due <= now for one in self._settling.values())
        if self._is_restructured and (is_due or now >= self._next_plan):
            # Before anything is read: what is written from here on gives an event.
            self._next_plan = now + _PLANNING
            self._arrange(folders)
        due = [key for key, one in self._settling.items() if one.due <= now]
        ended = {key: self._settling.pop(key) for key in due}
        search = ended.pop(DISCOVERY, None)
        compared = [self._compare(key, one) for key, one in ended.items()]
        changes = Changes(
            tuple(one for one in compared if one is not None),
            search is not None and self._brings_news(search),
        )
        if changes and not self._ending.is_set():
            self._on_changes(changes)

    def _brings_news(self, settling: Settling) -> bool:
        """Whether there may be another set of plugins; not, where a save went by another name."""
        were_there = [(path, self._moving.pop(path, None)) for path in settling.paths]
        return any(there is None or os.path.lexists(path) != there for path, there in were_there)

    def _compare(self, plugin_id: str, settling: Settling) -> PluginChange | None:
        """What has changed of a plugin since it was last looked at; None for nothing."""
        before = self._known.get(plugin_id)
        if before is None:
            return None
        now = take(self._subjects[plugin_id].descriptor)
        if now == before:
            return None
        if now.missing or now.fault:
            # Where its files were is where they may come back.
            self._known[plugin_id] = Snapshot(before.files, now.missing, now.fault)
            if before.missing == now.missing and before.fault == now.fault:
                return None
        else:
            self._known[plugin_id] = now
            if _paths(now) != _paths(before):
                self._is_restructured = True
        changed = now.changed_since(before)
        return PluginChange(plugin_id, settling.first, changed, now.missing)


def _paths(snapshot: Snapshot) -> set[str]:
    return {file.path for file in snapshot.files}
