"""Notices when a host is gone and has another one take its place."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from nebula_lab.errors import ExitReport, LoadFailedError, PluginCrashedError, PluginError
from nebula_lab.metrics import ManagerCounters
from nebula_lab.model import PluginConfig
from nebula_lab.model.events import PluginCrashed, PluginRestarted
from nebula_lab.reports.exit_report import EndCause
from nebula_lab.runtime.backoff import delay_before
from nebula_lab.runtime.checkpoints import Checkpoints
from nebula_lab.runtime.cradle import Cradle
from nebula_lab.runtime.dependents import DependentNotifier
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.failures import report_of
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.output import QuietSink
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.states import SavedState, StateKeeper
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host

_log = logging.getLogger("nebula_lab")
_DYING = 1.0  # seconds for a host whose channel has ended to end too


class Supervisor:
    """Restarts plugins whose host died, within the budget of the restart policy.

    Calls that wait, and those that come meanwhile, are served by the new host. A host that we
    ended ourselves, because it did not stop, is replaced too and costs nothing of the budget. The
    new one goes on from the last checkpoint.
    """

    def __init__(
        self,
        config: PluginConfig,
        hosting: Hosting,
        states: StateKeeper,
        checkpoints: Checkpoints,
        dependents: DependentNotifier,
        workers: Workers,
        dispatcher: Dispatcher,
        counters: ManagerCounters,
    ) -> None:
        self._config = config
        self._hosting = hosting
        self._states = states
        self._checkpoints = checkpoints
        self._dependents = dependents
        self._closing = threading.Event()
        self._workers = workers
        self._dispatcher = dispatcher
        self._counters = counters

    def host_stuck(self, record: PluginRecord, host: Host, reason: str) -> None:
        """A call did not stop: end its host and start another."""
        self._replace(record, host, reason)

    def host_lost(self, record: PluginRecord, host: Host) -> None:
        """A host is gone, or its channel is. Can be said more than once, on any thread."""
        self._replace(record, host)

    def close(self) -> None:
        """Wait for nothing any more; there are no restarts from now on."""
        self._closing.set()

    def adopt(
        self, record: PluginRecord, hosted: Iterable[Hosted], state: SavedState | None = None
    ) -> None:
        """Let calls go to hosts that have come up; one that is gone already is replaced.

        Args:
            record: the plugin.
            hosted: where it is up.
            state: what it goes on from, for the host after it if it dies before a checkpoint.
        """
        for one in hosted:
            record.description = one.description
            self._checkpoints.begin(record, one.host, state)
            record.orphaned_state = None
            record.slots.add(one.host, one.places)
            self._dependents.catch_up(record, one, state)
            if one.host.is_lost:  # before it had a place that it could be missed from
                self.host_lost(record, one.host)

    def may_try_again(self, record: PluginRecord, report: ExitReport) -> bool:
        """A host died while its plugin came back in it: wait as after any other crash.

        Returns:
            False where the budget is used up, or the manager is being closed.
        """
        crashes = self._count_crash(record, report)
        may_restart = crashes <= self._config.restart.max_restarts
        return may_restart and not self._is_closed_within(crashes)

    def _count_crash(self, record: PluginRecord, report: ExitReport) -> int:
        """Count a crash, or a start that the machine did not allow; how many there were lately."""
        was_started = report.cause is not EndCause.NOT_STARTED
        crashes = record.crashed(self._config.restart, was_started=was_started)
        if not was_started:
            if record.missed_starts == 1:
                _log.warning("%s was %s; it is tried again", record.id, report.reason)
            return crashes
        may_restart = crashes <= self._config.restart.max_restarts
        record.note_trouble(f"crashed: {report.reason}")
        self._dispatcher.emit(PluginCrashed(record.id, datetime.now(UTC), report, may_restart))
        return crashes

    def _is_closed_within(self, crashes: int) -> bool:
        """Wait for what the policy asks for after so many crashes; True if we close meanwhile."""
        return self._closing.wait(delay_before(crashes, self._config.restart))

    def _replace(self, record: PluginRecord, host: Host, reason: str = "") -> None:
        """See to it that no more calls go to a host, and that another one comes.

        Args:
            record: of its plugin.
            host: which.
            reason: what we end it for; "" where it ended by itself, which counts as a crash.
        """
        host.is_lost = True
        if host not in record.slots.hosts:
            return
        removed = threading.Event()

        def replace() -> None:
            try:
                # First: whoever finds no host is to find what it had saved.
                record.orphaned_state = host.checkpoint
                is_ours = record.slots.remove(host)
            finally:
                removed.set()
            if is_ours:
                self._bury_and_restart(record, host, reason)

        # All on another thread: a KeyboardInterrupt on this one must not come half-way.
        self._workers.start_unattended(replace)
        removed.wait(_DYING)

    def _bury_and_restart(self, record: PluginRecord, host: Host, reason: str) -> None:
        era, counts = record.era, not reason
        began = time.monotonic()
        if reason:
            host.kill(reason)
        report = host.exit_report(_DYING)
        died: PluginError = PluginCrashedError(plugin_id=record.id, report=report)
        self._workers.start_unattended(host.dispose)  # nobody is to wait for its files to go
        crashes = self._count_crash(record, report) if counts else 0
        while True:
            # Without the lock of the life cycle: whoever reloads the plugin need not wait for it.
            may_restart = crashes <= self._config.restart.max_restarts
            if may_restart and self._is_closed_within(crashes):
                return
            with record.lifecycle:
                if record.state not in SERVING or record.era != era:
                    return  # unloaded, suspended or reloaded meanwhile
                if not may_restart:
                    self._give_up(record, host, self._given_up(record, report, died))
                    return
                restarted = self._restart(record, host, began, counts=counts)
            if restarted is None:
                return
            (report, died), counts = restarted, True
            crashes = self._count_crash(record, report)

    def _restart(
        self, record: PluginRecord, dead: Host, began: float, *, counts: bool
    ) -> tuple[ExitReport, PluginError] | None:
        """Bring a plugin back; how the new process ended too, if it did, and the error of that."""
        try:
            hosted, state = self._bring_back(record, dead.checkpoint)
        except PluginError as error:
            report = report_of(error)
            if report is None:
                self._give_up(record, dead, error)
                return None
            return report, error
        if counts:
            record.restarts += 1
            self._counters.restarts += 1
        record.came_up()
        self.adopt(record, [hosted], state)
        now = time.monotonic()
        age = None if state is None else max(0.0, began - dead.checkpoint_at)
        self._dispatcher.emit(PluginRestarted(record.id, datetime.now(UTC), now - began, age))
        return None

    def _bring_back(
        self, record: PluginRecord, state: SavedState | None
    ) -> tuple[Hosted, SavedState | None]:
        """Another host with the state; without it, if it does not come up with it.

        Raises:
            PluginError: it does not come up in any case, or died meanwhile.
        """
        cradle = Cradle()
        try:
            # Nobody asked for it, so what it prints is nobody's but the journal's.
            hosted = self._hosting.bring_up(
                record.descriptor,
                QuietSink(),
                lambda host: self.host_lost(record, host),
                cradle,
            )
        except PluginError:
            cradle.abandon()
            raise
        try:
            if state is not None:
                self._states.restore(record, [hosted], state, is_final=True)
        except PluginError as error:
            cradle.abandon()
            if report_of(error) is not None and not record.died_of_its_state:
                record.died_of_its_state = True  # once that may be chance
                raise
            _log.error("%s starts without its state, which it does not take: %s", record.id, error)
            return self._bring_back(record, None)
        record.died_of_its_state = False
        return hosted, state

    def _give_up(self, record: PluginRecord, dead: Host, error: PluginError) -> None:
        if record.slots.hosts:
            _log.error("%s goes on with fewer replicas: %s", record.id, error)
            return
        record.saved_state = dead.checkpoint  # for when it has been mended
        record.fail(error)

    def _given_up(
        self, record: PluginRecord, report: ExitReport, error: PluginError
    ) -> LoadFailedError:
        policy = self._config.restart
        missed = record.missed_starts
        mend = f"reload_plugin({record.id!r})."
        if report.cause is EndCause.NOT_STARTED:
            return LoadFailedError(
                f"could not be started again, in {missed} attempts: {error.message}",
                plugin_id=record.id,
                path=error.path or record.descriptor.path,
                hint=f"{error.hint or 'Mend that.'} Then: {mend}",
            )
        between = f" and could not be started {missed} times meanwhile" if missed else ""
        often = policy.max_restarts - missed
        return LoadFailedError(
            f"crashed more than {often} times in {policy.window:g} s{between}, the last time "
            f"because it was {report.reason}",
            plugin_id=record.id,
            path=record.descriptor.path,
            hint=f"Mend it, then: {mend}",
        )
