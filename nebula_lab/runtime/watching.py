"""Watches the files of plugins while that is wanted, and from when it is needed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nebula_lab.model import FileSystem, Manifest, PluginConfig, PluginState, Problem
from nebula_lab.model.events import WatchNoted
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.idleness import is_idle
from nebula_lab.runtime.lifecycle import Lifecycle
from nebula_lab.runtime.shelf import Shelf
from nebula_lab.runtime.workers import Workers

if TYPE_CHECKING:
    from nebula_lab.runtime.saved_changes import SavedChanges
    from nebula_lab.watch.status import WatchStatus
    from nebula_lab.watch.subject import Root, Subject
    from nebula_lab.watch.watcher import Watcher

__all__ = ["FileWatch"]

_log = logging.getLogger("nebula_lab")
# Changes of state after which there is something else to watch; the first call of a plugin, which
# is on the path of that call, is none of them.
_TELLING = frozenset(
    {PluginState.LOADED, PluginState.FAILED, PluginState.SUSPENDED, PluginState.DISCOVERED}
)
# Seconds between two looks at whether there is time to import watchdog (40 ms), and after how many
# looks there is time in any case. What is saved meanwhile is seen all the same.
_LOOK = 0.05
_MOST_LOOKS = 20
_UP = 2.0  # seconds for whoever switches it on to wait until everything is watched


class FileWatch:
    """The watching of one manager.

    Nothing is imported and no thread runs before a plugin has been loaded.

    Args:
        config: `hot_reload` says whether to watch from the start.
        reload: as in `SavedChanges`.
    """

    def __init__(
        self,
        config: PluginConfig,
        catalogue: Catalogue,
        lifecycle: Lifecycle,
        shelf: Shelf,
        workers: Workers,
        dispatcher: Dispatcher,
        reload: Callable[[str, Callable[[], bool]], tuple[str, ...]],
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._lifecycle = lifecycle
        self._shelf = shelf
        self._workers = workers
        self._dispatcher = dispatcher
        self._reload = reload
        self._switching = threading.Lock()
        self._ending = threading.Event()
        self._on = config.hot_reload
        self._signed = config.security.verify_signature
        self._holders = 0
        self._is_waiting = False  # for a moment in which to start
        self._watcher: Watcher | None = None
        self._saved: SavedChanges | None = None
        self._polling: list[Problem] = []

    def state_changed(self, after: PluginState) -> None:
        """Note that a plugin has come to another state; takes no time."""
        if not self._on or after not in _TELLING:
            return
        if self._watcher is not None:
            self._watcher.refresh()
            if self._saved is not None and after is PluginState.DISCOVERED:
                self._saved.reconsider()
        elif after is not PluginState.DISCOVERED and not self._is_waiting:
            self._is_waiting = True
            self._workers.start_unattended(self._start_when_idle)

    def switch(self, on: bool) -> None:
        """Watch from now on, or no more."""
        with self._switching:
            self._on = on
            if on:
                self._start()
            else:
                self._stop()
            watcher = self._watcher
        if watcher is not None:
            watcher.is_up.wait(_UP)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Leave changes alone meanwhile, and look at them afterwards.

        What has not begun yet does not begin meanwhile by itself: it would hold for nobody.
        """
        with self._switching:
            self._holders += 1
            watcher = self._watcher
        try:
            with nullcontext() if watcher is None else watcher.held():
                yield
        finally:
            with self._switching:
                self._holders -= 1

    def status(self) -> WatchStatus:
        """Whether files are watched, and how."""
        from nebula_lab.watch.status import WatchStatus

        watcher = self._watcher
        if watcher is None:
            return WatchStatus(self._on)
        return WatchStatus(self._on, True, watcher.plugins, watcher.folders)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the watching has to say of plugins and of itself."""
        return (*self._polling, *(self._saved.problems if self._saved else ()))

    def close(self) -> None:
        """Watch nothing any more. Can be called again."""
        self._ending.set()
        self._on = False
        with self._switching:
            self._stop()

    def disown(self) -> None:
        """Let go of everything in a fork: its threads are not there."""
        self._on = False
        self._watcher = None

    # Starting

    def _start_when_idle(self) -> None:
        for _ in range(_MOST_LOOKS):
            if self._ending.wait(_LOOK):
                return
            if is_idle(self._catalogue):
                break
        while not self._start_unless_held():
            if self._ending.wait(_LOOK):
                return

    def _start_unless_held(self) -> bool:
        with self._switching:
            if self._holders:
                return False
            self._is_waiting = False
            if self._on:
                self._start()
            return True

    def _start(self) -> None:
        if self._watcher is not None or self._ending.is_set():
            return
        from nebula_lab.runtime.saved_changes import SavedChanges
        from nebula_lab.watch.watcher import Watcher

        self._saved = SavedChanges(
            self._catalogue,
            self._lifecycle,
            self._shelf,
            self._workers,
            self._dispatcher,
            self._reload,
            self._refresh,
            signed=self._signed,
        )
        self._watcher = Watcher(
            self._subjects,
            self._roots(),
            self._saved.take,
            self._tell_of_polling,
            signed=self._signed,
        )
        self._watcher.start()

    def _stop(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()
        if self._saved is not None:
            self._saved.close()
            self._saved = None
        self._polling.clear()

    def _refresh(self) -> None:
        watcher = self._watcher
        if watcher is not None:
            watcher.refresh()

    def _roots(self) -> tuple[Root, ...]:
        from nebula_lab.watch.subject import Root

        strategy = self._config.discovery
        if isinstance(strategy, FileSystem) and self._config.plugin_dir is not None:
            return (Root(self._config.plugin_dir, None if strategy.recursive else 1),)
        return (Root(strategy.path),) if isinstance(strategy, Manifest) else ()

    def _subjects(self) -> Iterator[Subject]:
        from nebula_lab.watch.snapshot import lasting, take
        from nebula_lab.watch.subject import Subject

        for record in self._catalogue:
            descriptor = record.descriptor
            read = self._shelf.last_read(record.id)
            if record.state is PluginState.DISCOVERED or (
                read is None and record.state is PluginState.LOADING
            ):
                yield Subject(descriptor)
                continue
            # One that was refused before its files were read is not to be tried again by itself.
            signed = self._signed
            files = (
                take(descriptor, signed=signed).files
                if read is None
                else lasting(read, signed=signed)
            )
            yield Subject(descriptor, files)

    def _tell_of_polling(self, reason: str) -> None:
        message = f"files are looked at once a second: {reason}"
        _log.warning("%s", message)
        self._polling.append(
            Problem(kind="watching", message=message, severity="note", cure="See %plugin watch.")
        )
        self._dispatcher.emit(WatchNoted("", datetime.now(UTC), message))
