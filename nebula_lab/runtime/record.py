"""What the manager knows of one plugin."""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from nebula_lab.errors import PluginError, StateTransitionError
from nebula_lab.metrics import PluginRecorder
from nebula_lab.model import PluginDescriptor, PluginInfo, PluginState, RestartPolicy, next_state
from nebula_lab.model.events import PluginReloaded
from nebula_lab.model.version import Version
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.log_ring import LogLine, LogRing
from nebula_lab.runtime.operation import Description
from nebula_lab.runtime.slots import Slots

if TYPE_CHECKING:
    from nebula_lab.sandbox.base import Host

_LOADED = PluginState.LOADED
_SUCCESSIONS = 50
SERVING = frozenset({PluginState.LOADED, PluginState.ACTIVE})


class PluginRecord:
    """One plugin: its descriptor, where it is in its life, its hosts and its counts.

    Args:
        descriptor: of the version that is chosen.
        queue_size: how many calls may wait for it.
        on_state: told of each change: the record, the states before and after, the reason.

    Attributes:
        lifecycle: held while the plugin is loaded, reloaded, suspended or unloaded.
        hand_over: given a call that has ended, may keep its place; None where nobody wants to.
        as_read: the description that was last read from disk for it, whether it came up or not.
        is_recalled: what runs is an earlier version from the store, whatever is on disk.
        failed_at: the host where a call failed last; None when none has since it was loaded.
        keep: given a host and a call that it has answered, sees to it that what the call changed
            is not lost before its caller knows; None where nobody wants that.
        saved_state: what it said at its suspension, or what its last process left when it Failed, a
            `SavedState`; None when nothing is kept.
        died_of_its_state: the last process died while it was given the state of one before it.
        successions: when it began to serve other code, on the clock of `time.monotonic`, and the
            version that had served until then; the latest last.
        orphaned_state: what the host that died last had saved, while none has taken its place.
    """

    def __init__(
        self,
        descriptor: PluginDescriptor,
        queue_size: int,
        on_state: Callable[[PluginRecord, PluginState, PluginState, str], None],
    ) -> None:
        self.descriptor = self.as_read = descriptor
        self.lifecycle = threading.RLock()
        self.slots = Slots(queue_size)
        self.recorder = PluginRecorder()
        self.description = Description({}, open=False)
        self.failure: PluginError | None = None
        self.saved_state: Any = None
        self.failed_at: weakref.ref[Host] | None = None
        self.orphaned_state: Any = None
        self.died_of_its_state = False
        self.is_recalled = False
        self.last_reload: PluginReloaded | None = None
        self.hand_over: Callable[[Invocation], bool] | None = None
        self.keep: Callable[[Host, Invocation], None] | None = None
        self.loaded_at: datetime | None = None
        self._epoch = datetime.now(UTC) - timedelta(seconds=time.monotonic())
        self.up_since = 0.0  # on the same clock as what follows
        self.last_used: float | None = None  # on the clock of `time.monotonic`
        self.is_up = False  # calls are served, or will be as soon as it has restarted
        self.loads = 0
        self.reload_count = 0
        self.restarts = 0
        # Counts the sets of hosts: one that is replaced as a whole has no hosts to restart.
        self.era = 0
        self.log = LogRing()
        self.successions: deque[tuple[float, Version]] = deque(maxlen=_SUCCESSIONS)
        self._state = PluginState.DISCOVERED
        self._moving = threading.RLock()
        self._on_state = on_state
        self._crashes: deque[tuple[float, bool]] = deque()

    @property
    def id(self) -> str:
        return self.descriptor.id

    @property
    def state(self) -> PluginState:
        return self._state

    def move(self, event: str, reason: str = "") -> None:
        """Take a step of the life cycle.

        Raises:
            StateTransitionError: there is no such step from here; nothing has changed.
        """
        with self._moving:
            before = self._state
            self._state = next_state(before, event, plugin_id=self.id)
            self.is_up = self._state in SERVING
            self._on_state(self, before, self._state, reason)

    def require(self, event: str) -> None:
        """Refuse a step that is not possible now, before anything is done for it.

        Raises:
            StateTransitionError: there is no such step from here.
        """
        next_state(self._state, event, plugin_id=self.id)

    def note_trouble(self, error: object) -> None:
        """Keep in its metrics that something went wrong that is no call."""
        self.recorder.note_trouble(str(error).removeprefix(f"{self.id}: "))

    def fail(self, error: PluginError) -> None:
        """Note why the plugin can't be used, and fail those who wait for it."""
        self.failure = error
        self.note_trouble(error)
        self.slots.refuse(error)
        self.move("fail", str(error))

    def came_up(self) -> None:
        """Note that it serves from now on, or with other hosts."""
        self.loaded_at = datetime.now(UTC)
        self.up_since = time.monotonic()

    def succeeded(self, former: Version) -> None:
        """Note that it serves other code from now on than that of `former`."""
        self.successions.append((time.monotonic(), former))

    def version_before(self, moment: float) -> Version | None:
        """What served at a moment, if something else has since."""
        return next((former for at, former in self.successions if at > moment), None)

    def used(self, now: float) -> None:
        """Note that it is called now, by the clock of `time.monotonic`."""
        self.last_used = now
        if self._state is _LOADED:
            # Another call, or the end of the plugin, may be quicker.
            with contextlib.suppress(StateTransitionError):
                self.move("call")

    def crashed(self, policy: RestartPolicy, *, was_started: bool = True) -> int:
        """Count a crash, or a start that came to nothing; how many there were within the window.

        Args:
            policy: has the window.
            was_started: False where there was no process that could have crashed.
        """
        now = time.monotonic()
        self._crashes.append((now, was_started))
        while self._crashes and self._crashes[0][0] < now - policy.window:
            self._crashes.popleft()
        return len(self._crashes)

    @property
    def missed_starts(self) -> int:
        """How many of those that count were no crashes."""
        return sum(not was_started for _, was_started in self._crashes)

    def disown(self) -> None:
        """Forget the hosts in a fork of the process that they belong to.

        Their locks may have been held by threads that the fork does not have.
        """
        self.slots = Slots(1)

    def forget_crashes(self) -> None:
        """A person has taken the plugin in hand: the budget of restarts is whole again."""
        self._crashes.clear()

    def lines(self) -> list[LogLine]:
        """What it wrote last, and what of it is missing at the end."""
        lines = list(self.log)
        for host in self.slots.hosts:
            note = host.link.gate.pending_note().rstrip()
            if note:
                lines.append(LogLine(datetime.now(UTC), 0, "stderr", note))
        return lines

    def info(self, sandbox: str, rights: tuple[str, ...]) -> PluginInfo:
        """The row of `list_plugins()`; the arguments are as in `PluginInfo`."""
        hosts = self.slots.hosts
        used = None
        if self.last_used is not None:
            used = self._epoch + timedelta(seconds=self.last_used)
        return PluginInfo(
            id=self.id,
            name=self.descriptor.name,
            version=self.descriptor.version,
            state=self._state,
            loaded_at=self.loaded_at,
            reload_count=self.reload_count,
            last_used=used,
            restarts=self.restarts,
            failure=None if self.failure is None else str(self.failure),
            description=self.descriptor.metadata.description,
            path=self.descriptor.path,
            sandbox=sandbox,
            pid=hosts[0].pid if hosts else None,
            rights=rights,
        )
