"""Notices when a host is gone and has another one take its place."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from datetime import UTC, datetime

from nebula_lab.errors import LoadFailedError, PluginError
from nebula_lab.metrics import ManagerCounters
from nebula_lab.model import PluginConfig
from nebula_lab.model.events import PluginCrashed
from nebula_lab.runtime.cradle import Cradle
from nebula_lab.runtime.dispatcher import Dispatcher
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.output import QuietSink
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host

_log = logging.getLogger("nebula_lab")
_DYING = 1.0  # seconds for a host whose channel has ended to end too


class Supervisor:
    """Restarts plugins whose host died, within the budget of the restart policy.

    Calls that wait, and those that come meanwhile, are served by the new host. A host that we
    ended ourselves, because it did not stop, is replaced too and costs nothing of the budget.
    """

    def __init__(
        self,
        config: PluginConfig,
        hosting: Hosting,
        workers: Workers,
        dispatcher: Dispatcher,
        counters: ManagerCounters,
    ) -> None:
        self._config = config
        self._hosting = hosting
        self._workers = workers
        self._dispatcher = dispatcher
        self._counters = counters

    def host_stuck(self, record: PluginRecord, host: Host) -> None:
        """A call did not stop: end its host and start another."""
        self._replace(record, host, counts=False)

    def host_lost(self, record: PluginRecord, host: Host) -> None:
        """A host is gone, or its channel is. Can be said more than once, on any thread."""
        self._replace(record, host, counts=True)

    def adopt(self, record: PluginRecord, hosted: Iterable[Hosted]) -> None:
        """Let calls go to hosts that have come up; one that is gone already is replaced."""
        for one in hosted:
            record.description = one.description
            record.slots.add(one.host, one.places)
            if one.host.is_lost:  # before it had a place that it could be missed from
                self.host_lost(record, one.host)

    def _replace(self, record: PluginRecord, host: Host, *, counts: bool) -> None:
        """See to it that no more calls go to a host, and that another one comes."""
        host.is_lost = True
        if host not in record.slots.hosts:
            return
        removed = threading.Event()

        def replace() -> None:
            try:
                is_ours = record.slots.remove(host)
            finally:
                removed.set()
            if is_ours:
                self._bury_and_restart(record, host, counts)

        # All on another thread: a KeyboardInterrupt on this one must not come half-way.
        self._workers.start_unattended(replace)
        removed.wait(_DYING)

    def _bury_and_restart(self, record: PluginRecord, host: Host, counts: bool) -> None:
        era = record.era
        if not counts:
            host.kill()
        may_restart = not counts or record.may_restart(self._config.restart)
        report = host.exit_report(_DYING)
        host.dispose()
        if counts:
            self._dispatcher.emit(PluginCrashed(record.id, datetime.now(UTC), report, may_restart))
        with record.lifecycle:
            if record.state not in SERVING or record.era != era:
                return  # unloaded, suspended or reloaded meanwhile
            if may_restart:
                self._restart(record, counts)
            elif not record.slots.hosts:
                record.fail(self._given_up(record, report.reason))

    def _restart(self, record: PluginRecord, counts: bool) -> None:
        cradle = Cradle()
        try:
            # Nobody asked for it, so what it prints is nobody's but the journal's.
            hosted = self._hosting.bring_up(
                record.descriptor,
                QuietSink(),
                lambda host: self.host_lost(record, host),
                cradle,
            )
        except PluginError as error:
            cradle.abandon()
            if record.slots.hosts:
                _log.error("%s goes on with fewer replicas: %s", record.id, error)
            else:
                record.fail(error)
            return
        if counts:
            record.restarts += 1
            self._counters.restarts += 1
        record.loaded_at = datetime.now(UTC)
        self.adopt(record, [hosted])

    def _given_up(self, record: PluginRecord, reason: str) -> LoadFailedError:
        policy = self._config.restart
        return LoadFailedError(
            f"crashed more than {policy.max_restarts} times in {policy.window:g} s, the last "
            f"time because it was {reason}",
            plugin_id=record.id,
            path=record.descriptor.path,
            hint=f"Mend it, then: reload_plugin({record.id!r}).",
        )
