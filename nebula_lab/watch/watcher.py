"""The thread that watches: events come in, and plugins that have changed go out."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from queue import Empty, SimpleQueue

from nebula_lab.watch.events import FolderEvent, Kind
from nebula_lab.watch.folders import Folders
from nebula_lab.watch.plan import DISCOVERY, plan_for
from nebula_lab.watch.settling import QUIET_OF_SEVERAL, Settling
from nebula_lab.watch.snapshot import Snapshot, take
from nebula_lab.watch.status import WatchedFolder
from nebula_lab.watch.subject import Changes, PluginChange, Root, Subject
from nebula_lab.watch.triage import Triage

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
        signed: whether the signatures of plugins make a difference.
    """

    def __init__(
        self,
        subjects: Callable[[], Iterable[Subject]],
        roots: Sequence[Root],
        on_changes: Callable[[Changes], object],
        on_polling: Callable[[str], object],
        *,
        signed: bool = True,
    ) -> None:
        self._get_subjects = subjects
        self._roots = roots
        self._on_changes = on_changes
        self._on_polling = on_polling
        self._signed = signed
        self._inbox: SimpleQueue[FolderEvent | None] = SimpleQueue()
        self._ending = threading.Event()
        self._holders = 0
        self._holding = threading.Lock()
        self._is_stale = True  # there are other subjects than those that are known here
        self._subjects: dict[str, Subject] = {}
        self._known: dict[str, Snapshot] = {}
        self._triage = Triage()
        self._wanted: dict[str, bool] = {}
        self._reasons: set[str] = set()
        self._next_beat = self._next_poll = self._next_plan = 0.0
        self.folders: tuple[WatchedFolder, ...] = ()
        self.is_up = threading.Event()  # everything is watched that is to be
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
                    self._triage.is_outdated = True
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
            wait = _POLL_WHILE_SETTLING if self._triage.settling else POLL
            self._next_poll = time.monotonic() + wait
        self.is_up.set()
        if not self._holders:
            self._tell(folders, time.monotonic())

    def _take_in(self, folders: Folders) -> None:
        """Wait until there is something to do, and take in all that has come."""
        if self._is_stale:
            return
        times = [self._next_beat]
        if folders.has_polled:
            times.append(self._next_poll)
        if not self._holders:
            if self._triage.is_outdated:
                times.append(self._next_plan)
            times += [one.due for one in self._triage.settling.values()]
        wait = min(times) - time.monotonic()
        try:
            item = self._inbox.get(timeout=max(0.0, wait))
        except Empty:
            return
        if item is not None:
            self._sort(item, folders)
        self._take_all(folders)

    def _take_all(self, folders: Folders) -> None:
        """Take in what has come, without waiting."""
        while True:
            try:
                item = self._inbox.get_nowait()
            except Empty:
                return
            if item is not None:
                self._sort(item, folders)

    def _sort(self, event: FolderEvent, folders: Folders) -> None:
        if event.kind is Kind.LOST:
            folders.lost(event.folder)
        self._triage.sort(event)

    # What there is to watch

    def _take_subjects(self, now: float) -> None:
        self._is_stale = False
        self._subjects = {one.descriptor.id: one for one in self._get_subjects()}
        loaded = {key: one.files for key, one in self._subjects.items() if one.files is not None}
        for key in [key for key in self._known if key not in loaded]:
            del self._known[key]
            self._triage.settling.pop(key, None)
        for key, files in loaded.items():
            if key not in self._known:
                self._known[key] = Snapshot(files)
                # It may have been saved between its load and now.
                self._triage.settling.setdefault(key, Settling(now))
        self._triage.is_outdated = True

    def _arrange(self, folders: Folders) -> None:
        """Watch what there is to watch now. Folders that have been replaced count as changed."""
        if self._triage.is_outdated:
            self._triage.is_outdated = False
            seen = {key: snapshot.files for key, snapshot in self._known.items()}
            self._triage.plan = plan_for(self._roots, self._subjects.values(), seen)
            self._wanted = {
                **dict.fromkeys(self._triage.plan.leading, True),
                **dict.fromkeys(self._triage.plan.folders, False),
            }
        at = time.monotonic()
        for folder in folders.update(self._wanted):
            self._triage.is_outdated = True
            event = FolderEvent(folder, "", Kind.DONE, at)
            self._triage.touch(self._triage.plan.keys_below(folder), event)
        self.folders = tuple(
            one for one in folders.status() if one.path in self._triage.plan.folders
        )
        alone = {folder.why for folder in self.folders if folder.how == "polling"}
        for reason in alone - self._reasons:
            self._reasons.add(reason)
            self._on_polling(reason)

    # What has changed

    def _tell(self, folders: Folders, now: float) -> None:
        triage = self._triage
        is_due = any(one.due <= now for one in triage.settling.values())
        if triage.is_outdated and (is_due or now >= self._next_plan):
            # Before anything is read: what is written from here on gives an event.
            self._next_plan = now + _PLANNING
            self._arrange(folders)
        ended = triage.ended(now)
        if not ended:
            return
        seen = {key: self._look_at(key) for key in ended if key in self._known}
        self._take_all(folders)  # what was written while it was read
        ended = {key: one for key, one in ended.items() if not triage.resume(key, one)}
        search = ended.pop(DISCOVERY, None)
        compared = [self._compare(key, one, seen[key]) for key, one in ended.items() if key in seen]
        changes = Changes(
            tuple(one for one in compared if one is not None),
            search is not None and triage.brings_news(search),
        )
        if changes and not self._ending.is_set():
            self._on_changes(changes)

    def _look_at(self, plugin_id: str) -> Snapshot:
        return take(self._subjects[plugin_id].descriptor, signed=self._signed)

    def _compare(self, plugin_id: str, settling: Settling, now: Snapshot) -> PluginChange | None:
        """What has changed of a plugin since it was last looked at; None for nothing."""
        before = self._known[plugin_id]
        if now.missing or now.fault:
            # Where its files were is where they may come back.
            now = Snapshot(before.files, now.missing, now.fault)
        if now == before:
            return None
        self._known[plugin_id] = now
        if _paths(now) != _paths(before):
            self._triage.is_outdated = True
        return PluginChange(plugin_id, settling.first, now.changed_since(before), now.missing)


def _paths(snapshot: Snapshot) -> set[str]:
    return {file.path for file in snapshot.files}
