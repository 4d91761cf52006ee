"""Puts new hosts in the place of old ones: of one plugin, or of several that change together."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from msgspec import Struct

from nebula_lab.errors import LoadFailedError
from nebula_lab.model import PluginDescriptor
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.changed_together import Change
from nebula_lab.runtime.cradle import Cradle
from nebula_lab.runtime.description_changes import description_changes
from nebula_lab.runtime.holds import Hold, Holds
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.loading import Loader
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.runtime.rehearsal import Rehearsal
from nebula_lab.runtime.states import SavedState
from nebula_lab.runtime.supervisor import Supervisor
from nebula_lab.runtime.workers import Workers

_NOTHING: Mapping[str, str] = MappingProxyType({})
_QUEUE = 100  # calls that may wait for a plugin that proves itself


class Swap(Struct, frozen=True):
    """What a swap of hosts took along.

    Attributes:
        held: seconds for which calls were held after the last that ran had ended.
        left_out: what of the state did not come over, and why.
        changes: what is different in what the plugin can do.
    """

    held: float = 0.0
    left_out: Mapping[str, str] = _NOTHING
    changes: tuple[str, ...] = ()


class _Newcomer:
    """New code of one plugin, on its way to take the old one's place."""

    def __init__(self, record: PluginRecord, descriptor: PluginDescriptor) -> None:
        self.record = record
        self.descriptor = descriptor
        self.fresh: list[Hosted] = []
        self.state: SavedState | None = None
        self.left_out = _NOTHING
        self.changes: tuple[str, ...] = ()

    def stand_in(self) -> PluginRecord:
        """A record for calls of others that prove themselves with it."""
        record = PluginRecord(self.descriptor, _QUEUE, lambda *_: None)
        record.description = self.fresh[0].description
        record.move("load")
        record.move("loaded")
        for one in self.fresh:
            record.slots.add(one.host, one.places)
        return record


class Exchange:
    """The transaction of a reload, of which ARCHITECTURE.md has a picture.

    Args:
        sink: shows what plugins print meanwhile.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        loader: Loader,
        holds: Holds,
        rehearsal: Rehearsal,
        supervisor: Supervisor,
        hosting: Hosting,
        workers: Workers,
        sink: Callable[[], OutputSink],
    ) -> None:
        self._catalogue = catalogue
        self._loader = loader
        self._holds = holds
        self._rehearsal = rehearsal
        self._supervisor = supervisor
        self._hosting = hosting
        self._workers = workers
        self._sink = sink

    def exchange(
        self, changes: Sequence[Change], described: Sequence[Change], *, is_recalled: bool
    ) -> list[Swap]:
        """Bring up new code of plugins that serve, and let all of it take over, or none.

        The life cycles of all are held by the caller.

        Args:
            changes: of plugins that serve, what others depend on first.
            described: of plugins that don't; their descriptions are taken over with the swap.
            is_recalled: the new code is an earlier version from the store.

        Raises:
            PluginError: why one can't serve; the old ones go on.
        """
        newcomers = [_Newcomer(*change) for change in changes]
        cradle = Cradle()
        try:
            # A rehearsal waits for them as the drain does: the grace is theirs once.
            streams = {
                call: time.monotonic()
                for one in newcomers
                for call in one.record.slots.users()
                if call.is_stream
            }
            for one in newcomers:
                self._rehearse(one, cradle)
                if len(newcomers) > 1:
                    cradle.peers[one.record.id] = one.stand_in()
            records = [one.record for one in newcomers]
            with self._holds.drained(*records, streams=streams) as hold:
                began = time.monotonic()
                for one in newcomers:
                    self._hand_over(one, hold)
                for one in newcomers:
                    _refuse_lost(one.fresh, one.descriptor)
                commit = partial(self._commit, newcomers, described, hold, cradle, is_recalled)
                self._workers.start(commit).result()
                held = time.monotonic() - began
            return [Swap(held, one.left_out, one.changes) for one in newcomers]
        except BaseException:
            if cradle.abandon():
                for one in newcomers:
                    one.record.slots.resume()
            raise

    def _rehearse(self, one: _Newcomer, cradle: Cradle) -> None:
        one.fresh = self._loader.bring_up_replicas(one.record, one.descriptor, cradle)
        self._rehearsal.rehearse(one.record, one.descriptor, one.fresh)

    def _hand_over(self, one: _Newcomer, hold: Hold) -> None:
        """Give new code the state that is final, while calls are held."""
        record, descriptor = one.record, one.descriptor
        moved = self._rehearsal.move_state(record, descriptor, one.fresh, hold)
        one.state, one.left_out = moved
        changes = description_changes(record.description, one.fresh[0].description)
        one.changes = tuple(changes.lines())

    def _commit(
        self,
        newcomers: Sequence[_Newcomer],
        described: Sequence[Change],
        hold: Hold,
        cradle: Cradle,
        is_recalled: bool,
    ) -> None:
        """Put the new hosts in the place of the old, as a whole."""
        hold.settle()
        former = {one: one.record.slots.hosts for one in newcomers}
        served = {one: one.record.descriptor.version for one in newcomers}
        adopted = [(one.record, one.descriptor) for one in newcomers]
        if not self._catalogue.adopt(*adopted, *described, claim=cradle.claim):
            return  # its caller has been interrupted
        for one in newcomers:
            one.record.era += 1
            for host in former[one]:
                one.record.slots.remove(host)
        for one in newcomers:
            one.record.succeeded(served[one])
            one.record.came_up()
            self._supervisor.adopt(one.record, one.fresh, one.state)
            one.record.is_recalled = is_recalled
        cradle.peers.clear()
        for one in newcomers:
            one.record.slots.resume()
            for host in former[one]:
                self._workers.start_unattended(
                    partial(self._hosting.take_down, host, one.record.id, self._sink())
                )


def _refuse_lost(fresh: list[Hosted], descriptor: PluginDescriptor) -> None:
    if any(one.host.is_lost for one in fresh):
        raise LoadFailedError(
            "its new process ended before it could serve, so the old one goes on",
            plugin_id=descriptor.id,
            path=descriptor.path,
        )
