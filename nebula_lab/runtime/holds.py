"""Keeps calls from plugins whose state or hosts are about to move, and fails none by it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from nebula_lab.errors import PluginError
from nebula_lab.model import PluginConfig
from nebula_lab.runtime.gate import Gate
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import QuietSink
from nebula_lab.runtime.patience import Patience
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.runtime.waits import WaitGraph
from nebula_lab.runtime.workers import Workers
from nebula_lab.transport.loop import LoopThread

# How often those that wait are looked after, in seconds: what is usual is over by then.
_LOOK = 0.01
# The first round, where nothing is known of the calls that run; and how often the streams among
# them are looked at.
_FIRST, _STEP = 0.1, 0.1
# A round is so many times as long as calls like those that run have taken at most.
_SLACK = 1.25
_NOT_WANTED = "it was given up for a call that could not wait any longer"
_NONE: Mapping[Invocation, float] = {}


class Hold:
    """What is done between two calls of some plugins.

    Attributes:
        errand: stands for all that is done meanwhile: cancelled if it has to be given up.
        has_been_sealed: as it was when it was looked at last.
    """

    has_been_sealed = False

    def __init__(self, records: tuple[PluginRecord, ...]) -> None:
        self._records = records
        self.errand = Invocation(records[0].id, "hold", 0.0, QuietSink())

    @contextlib.contextmanager
    def doing(self, what: str) -> Iterator[Invocation]:
        """Say what is done now; gives what the questions for it are to be asked within.

        Raises:
            PluginError: a call could not wait for its end.
        """
        try:
            yield self.errand
        except PluginError as error:
            self._refuse_late(what, error)
            raise
        self._refuse_late(what, None)

    def settle(self) -> None:
        """All is done that may take long: from now on calls wait until they are resumed.

        Raises:
            PluginError: calls run again, because one could not wait.
        """
        for record in self._records:
            if not record.slots.settle():
                self._refuse_late("what was done meanwhile", None)

    def _refuse_late(self, what: str, error: PluginError | None) -> None:
        late = [record.id for record in self._records if record.slots.has_given_in]
        if late:
            raise PluginError(
                f"{what} took so long that a call that waited for it would have failed, so calls "
                "go on, and nothing has changed",
                plugin_id=self._records[0].id,
                hint="Make it faster, try again when nobody calls, or give calls more time.",
            ) from error


class Holds:
    """Waits for the moments when no call runs, and looks after the calls that wait then.

    A call is kept waiting as long as its `Patience` allows. After that it runs beside those that
    are waited for; and where none runs any more, what is done meanwhile is given up for it.
    """

    def __init__(
        self, config: PluginConfig, waits: WaitGraph, workers: Workers, loop: LoopThread
    ) -> None:
        self._config = config
        self._waits = waits
        self._workers = workers
        self._loop = loop

    @contextlib.contextmanager
    def drained(
        self, *records: PluginRecord, streams: Mapping[Invocation, float] = _NONE
    ) -> Iterator[Hold]:
        """Hold calls, wait until none runs, and look after those held as long as the block lasts.

        Who waited goes on by `Slots.resume`, which is for the caller, at the end and after any
        exception. Streams last as long as their callers like: after the grace they are ended.

        Args:
            records: the plugins.
            streams: since when there has been a wait for the end of streams, by
                `time.monotonic`; for those that are not in it, it begins now.

        Raises:
            PluginError: there was no such moment.
        """
        hold = Hold(records)
        patience = {record: Patience(record) for record in records}
        with self._looking(partial(self._look_after, hold, patience)):
            self._drain(records, dict(streams))
            yield hold

    @contextlib.contextmanager
    def giving_way(self, record: PluginRecord, errand: Invocation) -> Iterator[None]:
        """Stop what has a place at a plugin once a call that waits can't wait for it any longer."""
        patience = Patience(record)

        def look() -> None:
            if not errand.cancelled and patience.due():
                self._stop(errand)

        with self._looking(look):
            yield

    @contextlib.contextmanager
    def _looking(self, look: Callable[[], None]) -> Iterator[None]:
        """Have something looked at on the loop's thread, where no interrupt comes."""
        is_over = False

        def again() -> None:
            if is_over:
                return
            try:
                look()
            finally:
                self._loop.call_later(_LOOK, again)

        try:
            self._loop.call_later(_LOOK, again)
            yield
        finally:
            is_over = True

    def _stop(self, errand: Invocation) -> None:
        # To interrupt a host may take a moment, and the loop is there for all.
        self._workers.start_unattended(partial(errand.cancel, _NOT_WANTED))

    def _look_after(self, hold: Hold, patience: Mapping[PluginRecord, Patience]) -> None:
        if any(record.slots.gate is not Gate.SEALED for record in patience):
            hold.has_been_sealed = False
            self._admit(patience)
            return
        if not hold.has_been_sealed:
            hold.has_been_sealed = True
            for one in patience.values():
                one.renew()  # what comes now is most likely short
        late = [record for record, one in patience.items() if one.due()]
        # All of them: what can't be done to one of several is done to none.
        if late and [record for record in patience if record.slots.give_in()]:
            self._stop(hold.errand)

    def _admit(self, patience: Mapping[PluginRecord, Patience]) -> None:
        due = [call for one in patience.values() for call in one.due()]
        if not _users(patience):
            return  # it takes only a moment more
        due += self._waits.needed_by([record.id for record in patience])
        if due:
            for record in patience:
                record.slots.admit(set(due))

    # Draining

    def _drain(self, records: tuple[PluginRecord, ...], streams: dict[Invocation, float]) -> None:
        began = time.monotonic()
        bound = began + self._config.timeout + 2 * self._config.grace
        least = _FIRST
        while True:
            for record in records:
                record.slots.hold()
            running = _users(records)
            length = self._round(records, least, bound)
            if self._wait(records, length, streams):
                return
            if time.monotonic() > bound:
                busy = ", ".join(call.operation for call in running)
                raise PluginError(
                    f"still busy with {busy}", plugin_id=records[0].id, hint="Try again later."
                )
            least = min(2 * least, max(_FIRST, self._config.grace))
            if any(record.slots.has_free() and record.slots.waiting() for record in records):
                # What runs takes longer than is usual. The others are served half of the time.
                for record in records:
                    record.slots.resume()
                self._wait(records, length, streams)

    def _round(self, records: tuple[PluginRecord, ...], least: float, bound: float) -> float:
        """For how many seconds to hold calls at a time, so that all that run can end meanwhile."""
        expected = max(
            (
                record.recorder.durations(call.operation)[1]
                for record in records
                for call in record.slots.users()
                if not call.is_stream
            ),
            default=0.0,
        )
        length = _SLACK * expected
        # No end of what takes longer can be seen from here, so nobody waits for it.
        is_possible = length < bound - time.monotonic()
        return max(least, length) if is_possible else least

    def _wait(
        self, records: tuple[PluginRecord, ...], length: float, streams: dict[Invocation, float]
    ) -> bool:
        """Whether all calls ended within so many seconds, and none can come any more."""
        until = time.monotonic() + length
        while True:
            self._end_streams(records, streams)
            step = min(until, time.monotonic() + _STEP)
            for record in records:
                record.slots.drained(max(0.0, step - time.monotonic()))
            if all(record.slots.seal() for record in records):
                return True
            for record in records:
                record.slots.unseal()
            if time.monotonic() >= until:
                return False

    def _end_streams(
        self, records: tuple[PluginRecord, ...], streams: dict[Invocation, float]
    ) -> None:
        now = time.monotonic()
        for call in _users(records):
            if not call.is_stream or call.cancelled:
                continue
            if now >= streams.setdefault(call, now) + self._config.grace:
                call.cancel("the stream was ended, because its plugin is being replaced")


def _users(records: Iterable[PluginRecord]) -> list[Invocation]:
    return [call for record in records for call in record.slots.users()]
