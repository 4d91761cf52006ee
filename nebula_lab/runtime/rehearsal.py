"""Has a new version of a plugin prove itself while the old one goes on serving."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from nebula_lab.errors import LoadFailedError, PluginCrashedError, PluginError
from nebula_lab.model import PluginConfig, PluginDescriptor
from nebula_lab.plugin import HealthState
from nebula_lab.runtime.failures import load_error_from
from nebula_lab.runtime.health import read_status
from nebula_lab.runtime.hosting import Hosted, Hosting
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.runtime.states import SavedState, StateKeeper

_SAVES = "the old version can't save its state"
_RESTORES = "the new version does not take the state of the old one"
_TESTS = "the new version fails its own test"
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
        sink: Callable[[], OutputSink],
    ) -> None:
        self._config = config
        self._states = states
        self._hosting = hosting
        self._sink = sink

    def rehearse(
        self, record: PluginRecord, descriptor: PluginDescriptor, fresh: Iterable[Hosted]
    ) -> bool:
        """Give the new version a copy of the state, and look how it is with it.

        Returns:
            False where the old version was busy for too long to say what its state is.

        Raises:
            LoadFailedError: what it did not pass.
        """
        snapshot = self._snapshot(record, descriptor)
        if snapshot is None:
            return False
        self.restore(record, descriptor, fresh, snapshot)
        self.examine(descriptor, fresh)
        return True

    def save(self, record: PluginRecord, descriptor: PluginDescriptor) -> SavedState | None:
        """The state to go on from, while calls are held.

        Raises:
            LoadFailedError: the old version can't say what its state is.
        """
        with _stage(_SAVES, descriptor, _NO_STATE.format(id=record.id)):
            return self._states.save(record)

    def restore(
        self,
        record: PluginRecord,
        descriptor: PluginDescriptor,
        fresh: Iterable[Hosted],
        state: SavedState,
        *,
        is_final: bool = False,
    ) -> dict[str, str]:
        """Give the new version a state, the last one if `is_final`; what was left out, and why.

        Raises:
            LoadFailedError: it does not take it.
        """
        with _stage(_RESTORES, descriptor, _NO_STATE.format(id=record.id)):
            return dict(self._states.restore(record, fresh, state, is_final=is_final))

    def examine(self, descriptor: PluginDescriptor, fresh: Iterable[Hosted]) -> None:
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
        """The state as it is between two calls; None if there was no such moment."""
        waiting = Invocation(record.id, "save_state", self._config.grace, self._sink())
        try:
            with record.slots.place(waiting) as host:
                errand = Invocation(record.id, "save_state", self._config.timeout, self._sink())
                with _stage(_SAVES, descriptor, _NO_STATE.format(id=record.id)):
                    return self._states.save_from(record, host, errand)
        except TimeoutError:  # of the wait: `_stage` lets none other through
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
