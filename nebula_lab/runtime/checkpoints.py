"""Keeps what plugins save of themselves while they run, for those that die."""

from __future__ import annotations

import logging
import time
from functools import partial

from nebula_lab.errors import (
    ManagerClosedError,
    PluginCrashedError,
    PluginError,
    PluginTimeoutError,
)
from nebula_lab.model import PluginConfig
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import QuietSink
from nebula_lab.runtime.record import SERVING, PluginRecord
from nebula_lab.runtime.states import SavedState, StateKeeper
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host
from nebula_lab.transport.loop import LoopThread

_log = logging.getLogger("nebula_lab")
_LONGEST_TICK = 1.0  # seconds
_DYING = 1.0  # seconds for a host whose channel has ended to end too
_EACH = 1


class Checkpoints:
    """Takes the checkpoints that a configuration asks for.

    A checkpoint is taken between two calls: by whoever holds a place at the host. Where nobody
    does, that is a worker, else the call that is the next to end leaves its place to one. So no
    state is saved while an operation changes it, and no caller waits for it. But where one is
    wanted after each call, the caller does, and has its result only once that can't be lost.

    Where several calls run at once in a host, its state may be saved beside the others.
    """

    def __init__(
        self,
        config: PluginConfig,
        catalogue: Catalogue,
        states: StateKeeper,
        workers: Workers,
        loop: LoopThread,
    ) -> None:
        self._policy = config.checkpoint
        self._timeout = config.timeout
        self._catalogue = catalogue
        self._states = states
        self._workers = workers
        self._loop = loop
        self._ticking = False

    def begin(self, record: PluginRecord, host: Host, saved: SavedState | None) -> None:
        """A host is about to serve, with this state; take checkpoints of it from now on."""
        host.checkpoint = saved
        host.checkpoint_at = host.checkpoint_tried_at = time.monotonic()
        host.calls_left = self._policy.calls
        if self._policy.calls is not None:
            record.hand_over = partial(self._hand_over, record)
        if self._policy.calls == _EACH:
            record.keep = partial(self._keep, record)
        if self._policy.interval is not None and not self._ticking:
            self._ticking = True
            self._loop.call_later(self._pause, self._tick)

    @property
    def _pause(self) -> float:
        """Seconds between two looks at the clock: a fraction of what is looked for."""
        return min(_LONGEST_TICK, (self._policy.interval or _LONGEST_TICK) / 4)

    def _tick(self) -> None:
        serving = [record for record in self._catalogue if record.state in SERVING]
        for record in serving:
            for host in record.slots.hosts:
                if self._is_due(record, host):
                    self._take_soon(record, host)
        # The next plugin that is loaded starts it again.
        self._ticking = bool(serving)
        if serving:
            self._loop.call_later(self._pause, self._tick)

    def _is_due(self, record: PluginRecord, host: Host) -> bool:
        interval = self._policy.interval
        if interval is None or not host.keeps_state:
            return False
        # What has not been called since has nothing new.
        tried_at = host.checkpoint_tried_at
        is_used = (record.last_used or 0.0) > tried_at or bool(record.slots.users())
        is_changed = is_used or host.checkpoint_had_company
        return is_changed and time.monotonic() > tried_at + interval - self._pause

    def _take_soon(self, record: PluginRecord, host: Host) -> None:
        errand = self._errand(record)
        try:
            taken = record.slots.take(errand, host)
        except PluginError:
            return  # it is failed or being unloaded
        if taken is not None:
            host.checkpoint_tried_at = time.monotonic()
            self._workers.start_unattended(partial(self._take, record, host, errand))
        else:
            # At each look until it is taken: the end of another host's may just have let go of it.
            host.checkpoint_is_due = True
            record.hand_over = partial(self._hand_over, record)

    def _hand_over(self, record: PluginRecord, call: Invocation) -> bool:
        """A call has ended: whether its place goes to a checkpoint, which is to release it."""
        host = record.slots.host_of(call)
        if host is None or host.is_lost or not self._is_wanted(host):
            return False
        # On the worker: an interrupt here must leave the place with the one or the other.
        self._workers.start_unattended(partial(self._take_over, record, call))
        return True

    def _is_wanted(self, host: Host) -> bool:
        if host.calls_left is not None and host.keeps_state:
            host.calls_left -= 1
            if host.calls_left <= 0:
                host.checkpoint_is_due = True
        return host.checkpoint_is_due

    def _keep(self, record: PluginRecord, host: Host, call: Invocation) -> None:
        """Take a checkpoint after a call that has been answered and still has its place.

        Raises:
            PluginCrashedError: the host died first, so what the call did is lost.
            PluginTimeoutError: the call's time was over first; what it did may be lost.
        """
        if not host.keeps_state:
            return
        errand = Invocation(record.id, call.operation, call.left(), QuietSink())
        try:
            self._note(record, host, errand)
        except (PluginCrashedError, PluginTimeoutError):
            raise
        except PluginError as error:
            self._pass_over(record, host, error)
        finally:
            self._begin_anew(record, host)
        if host.is_lost:
            # Whoever brings it back may have looked at its checkpoint before.
            raise PluginCrashedError(
                plugin_id=record.id, operation=call.operation, report=host.exit_report(_DYING)
            )

    def _take_over(self, record: PluginRecord, call: Invocation) -> None:
        errand = self._errand(record)
        host = record.slots.pass_on(call, errand)
        if host is not None:
            self._take(record, host, errand)

    def _take(self, record: PluginRecord, host: Host, errand: Invocation) -> None:
        try:
            self._note(record, host, errand)
        except (ManagerClosedError, PluginCrashedError):
            return  # as everybody is told by others
        except PluginError as error:
            self._pass_over(record, host, error)
        finally:
            self._begin_anew(record, host)
            record.slots.release(errand)

    def _note(self, record: PluginRecord, host: Host, errand: Invocation) -> None:
        host.checkpoint_is_due = False
        began = host.checkpoint_tried_at = time.monotonic()
        slots = record.slots
        host.checkpoint_had_company = any(
            slots.host_of(call) is host for call in slots.users() if call is not errand
        )
        saved = self._states.save_from(record, host, errand)
        host.keeps_state = not saved.is_empty
        host.checkpoint, host.checkpoint_at = saved, began

    def _pass_over(self, record: PluginRecord, host: Host, error: PluginError) -> None:
        # Not again at once: what fails now is likely to fail then, and holds up calls.
        host.checkpoint_tried_at = time.monotonic()
        _log.warning("no checkpoint of %s could be taken: %s", record.id, error)

    def _begin_anew(self, record: PluginRecord, host: Host) -> None:
        host.checkpoint_is_due = False
        host.calls_left = self._policy.calls
        if self._policy.calls is None and not any(
            other.checkpoint_is_due for other in record.slots.hosts
        ):
            record.hand_over = None

    def _errand(self, record: PluginRecord) -> Invocation:
        return Invocation(record.id, "save_state", self._timeout, QuietSink())
