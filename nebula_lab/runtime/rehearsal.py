"""Has a new version of a plugin prove itself while the old one goes on serving."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from msgspec.structs import replace

from nebula_lab.errors import LoadFailedError, PluginCrashedError, PluginError
from nebula_lab.model import PluginConfig, PluginDescriptor
from nebula_lab.plugin import HealthState
from nebula_lab.runtime.failures import load_error_from
from nebula_lab.runtime.health import read_status
from nebula_lab.runtime.holds import Hold, Holds
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.runtime.states import SavedState, StateKeeper
from nebula_lab.sandbox.base import Host

_SAVES = "the old version can't save its state"
_RESTORES = "the new version does not take the state of the old one"
_KEEPS = "the new version does not take the state that it saves itself"
_TESTS = "the new version fails its own test"
_KEEPS_HINT = "Its save_state and restore_state have to fit each other; mend one and save it again."
_OWN_WAYS = frozenset({"method", "operation"})
_NO_STATE = "To start it without the state: unload_plugin({id!r}), then load_plugin({id!r})."


class Rehearsal:
    """What a new version has to pass before it serves.

    Args:
        sink: shows what it prints meanwhile.
    """

    def __init__(
        self,
        config: PluginConfig,
        states: StateKeeper,
        hosting: Hosting,
        holds: Holds,
        sink: Callable[[], OutputSink],
    ) -> None:
        self._config = config
        self._holds = holds
        self._states = states
        self._hosting = hosting
        self._sink = sink

    def rehearse(
        self, record: PluginRecord, descriptor: PluginDescriptor, fresh: Iterable[Hosted]
    ) -> None:
        """Give the new version a copy of the state, and look how it is with it.

        Where the old version is too busy to say what its state is, that is the state of its last
        checkpoint; where there is none, the new version has none either.

        Raises:
            LoadFailedError: what it did not pass.
        """
        state = self._snapshot(record, descriptor) or _checkpoint(record)
        if state is not None:
            self._restore(record, descriptor, fresh, state)
        self._save_and_restore(record, descriptor, fresh)
        self._examine(descriptor, fresh)

    def move_state(
        self,
        record: PluginRecord,
        descriptor: PluginDescriptor,
        fresh: Iterable[Hosted],
        hold: Hold,
    ) -> tuple[SavedState | None, Mapping[str, str]]:
        """Give the new version the state that is final, while calls are held.

        Returns:
            The state, and what was left out of it: name → reason.

        Raises:
            LoadFailedError: the old version can't say what its state is, or the new one does not
                take it.
            PluginError: one of them takes longer than the calls that are held can wait.
        """
        hint = _NO_STATE.format(id=record.id)
        with hold.doing("its save_state") as errand, _stage(_SAVES, descriptor, hint):
            state = self._states.save(record, errand)
        if state is None:
            return None, {}
        with hold.doing("the restore_state of the new version") as errand:
            left_out = self._restore(record, descriptor, fresh, state, errand)
        return state, left_out

    def _restore(
        self,
        record: PluginRecord,
        descriptor: PluginDescriptor,
        fresh: Iterable[Hosted],
        state: SavedState,
        final: Invocation | None = None,
    ) -> Mapping[str, str]:
        """Give the new version a state, and no other if there is a `final` errand to do that in."""
        with _stage(_RESTORES, descriptor, _NO_STATE.format(id=record.id)):
            is_final = final is not None
            return self._states.restore(record, fresh, state, is_final=is_final, within=final)

    def _save_and_restore(
        self, record: PluginRecord, descriptor: PluginDescriptor, fresh: Iterable[Hosted]
    ) -> None:
        """Have the new version take what it saves, as it must when it rests or dies one day.

        Public attributes are saved and restored by its host, which needs no proof.

        Raises:
            LoadFailedError: it fails to save its state, or to take that.
        """
        for one in islice(fresh, 1):  # the others run the same code
            with _stage(_KEEPS, descriptor, _KEEPS_HINT):
                saved = self._states.save_from(record, one.host)
                if saved.how in _OWN_WAYS:
                    own = replace(saved, version=str(descriptor.version))
                    self._states.restore(record, [one], own)

    def _examine(self, descriptor: PluginDescriptor, fresh: Iterable[Hosted]) -> None:
        """Look at the health of the new version and have it test itself.

        Raises:
            LoadFailedError: it is unhealthy, or fails its own test.
        """
        for one in fresh:
            status = read_status(self._ask(descriptor, one, "health", _TESTS))
            if status.state is HealthState.UNHEALTHY:
                raise LoadFailedError(
                    f"the new version says that it is unhealthy: {status.message or 'no reason'}",
                    plugin_id=descriptor.id,
                    path=descriptor.path,
                    hint="Its health_check says so; mend what is wrong and save it again.",
                )
            self._ask(descriptor, one, "self_test", _TESTS)

    def _ask(self, descriptor: PluginDescriptor, one: Hosted, kind: str, stage: str) -> Any:
        errand = Invocation(descriptor.id, kind, self._config.timeout, self._sink())
        with _stage(stage, descriptor, None):
            return self._hosting.ask(one.host, kind, None, errand)

    def _snapshot(self, record: PluginRecord, descriptor: PluginDescriptor) -> SavedState | None:
        """The state as it is between two calls; None if there was no such moment long enough."""
        waiting = Invocation(record.id, "save_state", self._config.grace, self._sink())
        try:
            with record.slots.place(waiting) as host:
                return self._snapshot_of(record, descriptor, host)
        except TimeoutError:  # of the wait: `_stage` lets none other through
            return None

    def _snapshot_of(
        self, record: PluginRecord, descriptor: PluginDescriptor, host: Host
    ) -> SavedState | None:
        errand = Invocation(record.id, "save_state", self._config.timeout, self._sink())
        errand.spares_host = True  # it goes on serving
        try:
            with (
                self._holds.giving_way(record, errand),
                _stage(_SAVES, descriptor, _NO_STATE.format(id=record.id)),
            ):
                saved = self._states.save_from(record, host, errand)
        except LoadFailedError:
            if errand.cancelled:
                return None
            raise
        return None if errand.cancelled else saved


def _checkpoint(record: PluginRecord) -> SavedState | None:
    """The last state that the code which serves has saved by itself."""
    for host in record.slots.hosts:
        saved: SavedState | None = host.checkpoint
        # What an earlier version had saved may be nothing that the next has to understand.
        if saved is not None and saved.at > record.up_since:
            return saved
    return None


@contextlib.contextmanager
def _stage(what: str, descriptor: PluginDescriptor, hint: str | None) -> Iterator[None]:
    """Say at which stage of a reload something went wrong."""
    try:
        yield
    except LoadFailedError:
        raise
    except PluginCrashedError as error:
        whose = "the old" if what is _SAVES else "the new"
        raise LoadFailedError(
            f"{whose} version's process ended meanwhile: {error.report.reason}",
            plugin_id=descriptor.id,
            path=descriptor.path,
            remote_traceback=error.report.words,
            report=error.report,
        ) from error
    except PluginError as error:
        failed = load_error_from(error, descriptor.id)
        failed.message = f"{what}: {failed.message}"
        failed.path = failed.path or descriptor.path
        failed.hint = failed.hint or hint
        raise failed from error
