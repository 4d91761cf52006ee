"""The path of a call: find the plugin, check the params, take a place, talk to the host."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from functools import partial
from typing import Any

from nebula_lab.errors import (
    CallCancelledError,
    ExecutionFailedError,
    OperationNotFoundError,
    PluginCrashedError,
    PluginError,
    PluginTimeoutError,
    UnsupportedValueError,
)
from nebula_lab.model import PluginConfig, PluginState
from nebula_lab.runtime.catalogue import Catalogue
from nebula_lab.runtime.conversation import Conversation
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.listener import Listener
from nebula_lab.runtime.loading import Loader
from nebula_lab.runtime.operation import Operation
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.runtime.stream import WINDOW, Stream
from nebula_lab.runtime.waits import WaitGraph
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host
from nebula_lab.transport.loop import LoopThread
from nebula_lab.wire.errors import LocalProtocolError, ValueNotSupportedError
from nebula_lab.wire.messages import Call
from nebula_lab.wire.values import encode_plain, encode_value

# How often a call of an idempotent operation is run before it is taken to be what kills its host.
_MOST_ATTEMPTS = 3
_TICK = 0.05  # seconds between two looks whether a sandbox is still being made ready
_ASLEEP = frozenset({PluginState.DISCOVERED, PluginState.SUSPENDED})


class CallPath:
    """Runs operations, in the thread of whoever calls them.

    Args:
        listener: is told of what calls print, of the calls that plugins make, and of lost hosts.
        waits: is told which calls of plugins wait.
    """

    def __init__(
        self,
        config: PluginConfig,
        catalogue: Catalogue,
        loader: Loader,
        workers: Workers,
        loop: LoopThread,
        listener: Listener,
        waits: WaitGraph,
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._loader = loader
        self._workers = workers
        self._loop = loop
        self._listener = listener
        self._waits = waits

    def run(self, invocation: Invocation, params: Mapping[str, Any]) -> Any:
        """Run an operation; a stream is given as an iterator, unless a plugin made the call.

        Raises:
            PluginError: it did not give a result.
        """
        record = invocation.callee or self._catalogue.record(invocation.plugin_id)
        if not record.is_up:
            self._bring_up(record, invocation)
        plain = params if type(params) is dict else dict(params)
        invocation.params = plain
        operation = record.description.operations.get(invocation.operation)
        try:
            if operation is not None and operation.params.is_plain_fit(plain):
                encoded = encode_plain(plain, "params")
            else:
                operation = self._checked(record, invocation, plain)
                encoded = encode_value(plain, "params")
        except ValueNotSupportedError as error:
            raise _unsupported(error, invocation) from None
        started: float | None = None
        handed_over = succeeded = is_kept = False
        try:
            # In here, because a KeyboardInterrupt may come as soon as the place is ours.
            host = record.slots.take(invocation) or self._wait_for_place(record, invocation)
            started = time.monotonic()
            if record.description.operations.get(invocation.operation) is not operation:
                operation = self._checked(record, invocation, plain)  # reloaded while we waited
            record.used(started)
            conversation = Conversation(host, invocation, self._listener, self._config.grace)
            try:
                streams = operation is not None and operation.stream and invocation.parent is None
                credit = WINDOW if streams else 0
                if streams:
                    invocation.is_stream = True
                    conversation.allow(credit)
                conversation.begin(
                    Call(conversation.number, "operation", invocation.operation, encoded, credit)
                )
                if streams:
                    handed_over = True
                    end = partial(self._end_stream, record, invocation, started)
                    return Stream(conversation, invocation, end, self._close_later)
                result = conversation.result()
                if record.keep is not None:
                    record.keep(host, invocation)
                    is_kept = True
                succeeded = True
                return result
            except LocalProtocolError as error:
                raise ExecutionFailedError(
                    str(error), plugin_id=record.id, operation=invocation.operation
                ) from error
            except KeyboardInterrupt as interrupt:  # wherever it came
                if not handed_over:
                    conversation.close()
                    conversation.note_place(interrupt)
                raise
            finally:
                if not handed_over:
                    try:
                        conversation.close()
                    except KeyboardInterrupt:  # perhaps before it had begun
                        conversation.close()
                        raise
        except PluginError as error:
            if not self._may_try_again(error, operation, invocation):
                _note_failure(record, invocation, started, error)
                raise
        finally:
            if not handed_over:
                try:
                    self._end(record, invocation, started, succeeded, is_kept=is_kept)
                except KeyboardInterrupt:
                    record.slots.release(invocation)
                    raise
        return self.run(invocation, params)

    def _may_try_again(
        self, error: PluginError, operation: Operation | None, invocation: Invocation
    ) -> bool:
        """Whether a call whose host died under it, and which does no harm twice, runs again."""
        if not isinstance(error, PluginCrashedError):
            return False
        if operation is None or not operation.idempotent:
            return False
        invocation.attempts += 1
        is_wanted = not invocation.cancelled and invocation.left() > 0
        return is_wanted and invocation.attempts < _MOST_ATTEMPTS

    def _close_later(self, close: Callable[[], None]) -> None:
        self._loop.call(self._workers.start_unattended, close)

    def _end_stream(
        self,
        record: PluginRecord,
        invocation: Invocation,
        started: float,
        failure: BaseException | None,
    ) -> None:
        if failure is not None:
            _note_failure(record, invocation, started, failure)
        self._end(record, invocation, started, failure is None)

    def _end(
        self,
        record: PluginRecord,
        invocation: Invocation,
        started: float | None,
        succeeded: bool,
        *,
        is_kept: bool = False,
    ) -> None:
        if not succeeded:
            self._note_where(record, invocation)
        hand_over = None if is_kept else record.hand_over
        if hand_over is None or not hand_over(invocation):
            record.slots.release(invocation)
        if started is not None:
            record.recorder.record(invocation.operation, time.monotonic() - started, succeeded)

    def _note_where(self, record: PluginRecord, invocation: Invocation) -> None:
        host = record.slots.host_of(invocation)
        if host is not None:
            record.failed_at = weakref.ref(host)

    def _checked(
        self, record: PluginRecord, invocation: Invocation, params: dict[str, Any]
    ) -> Operation | None:
        """The operation, its params having been checked; None if the plugin takes any name."""
        description = record.description
        operation = description.operations.get(invocation.operation)
        if operation is not None:
            operation.check(record.id, params)
        elif not description.open and record.loads:
            raise OperationNotFoundError(
                record.id, invocation.operation, known=description.operations
            )
        return operation

    def _bring_up(self, record: PluginRecord, invocation: Invocation) -> None:
        """Load the plugin on its first use, or resume it; no longer than the call may take."""
        if record.state is PluginState.FAILED and record.failure is not None:
            failure = record.failure
            raise ExecutionFailedError(
                f"it is Failed: {failure.message}",
                plugin_id=record.id,
                operation=invocation.operation,
                remote_traceback=getattr(failure, "remote_traceback", ""),
                hint=f"Mend it, then reload it: reload_plugin({record.id!r}).",
            )
        # It is made once, for all plugins, and so is not a part of anybody's call.
        if seconds := self._loader.get_ready(record):
            invocation.put_off(seconds)
        known = self._loader.seconds_of_preparing(record)
        loading = self._workers.start(partial(self._loader.load, record.id))
        least = 0.0
        while not wait([loading], max(least, invocation.left())).done:
            known, before = self._loader.seconds_of_preparing(record), known
            if known <= before:
                raise _still_loading(record, invocation)
            invocation.put_off(known - before)  # what was made is gone, and is made anew
            least = _TICK
        if more := self._loader.seconds_of_preparing(record) - known:
            invocation.put_off(more)
        loading.result()

    def _wait_for_place(self, record: PluginRecord, invocation: Invocation) -> Host:
        nested = invocation.parent is not None
        try:
            return record.slots.acquire(invocation, partial(self._queued, record, invocation))
        except TimeoutError:
            raise PluginTimeoutError(
                f"it waited for its turn for {invocation.timeout:g} s and was withdrawn",
                plugin_id=record.id,
                operation=invocation.operation,
                hint="Other calls of this plugin take long; it can be given more replicas.",
            ) from None
        finally:
            if nested:
                self._waits.leave(invocation)

    def _queued(self, record: PluginRecord, invocation: Invocation) -> None:
        """A call waits for its turn: see to it that it comes."""
        if invocation.parent is not None:
            self._waits.enter(invocation)
        if record.state in _ASLEEP:  # it was up when the call came
            self._workers.start_unattended(partial(self._loader.load, record.id))


def _note_failure(
    record: PluginRecord, invocation: Invocation, started: float | None, error: BaseException
) -> None:
    """Keep why a call failed that is counted, unless somebody wanted it to end."""
    if started is None or isinstance(error, CallCancelledError):
        return
    if isinstance(error, PluginError):  # and no KeyboardInterrupt
        record.recorder.note_failure(invocation.operation, error.message)


def _unsupported(error: ValueNotSupportedError, invocation: Invocation) -> UnsupportedValueError:
    unsupported = UnsupportedValueError(error.element, error.found)
    unsupported.plugin_id = invocation.plugin_id
    return unsupported


def _still_loading(record: PluginRecord, invocation: Invocation) -> PluginTimeoutError:
    return PluginTimeoutError(
        f"it was still being loaded after {invocation.timeout:g} s",
        plugin_id=record.id,
        operation=invocation.operation,
        hint="It goes on loading; give the first call more time, or load it beforehand.",
    )
