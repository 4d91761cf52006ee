"""One call's exchange with its host: from the message that starts it to the one that ends it."""

from __future__ import annotations

import contextvars
import time
from functools import partial
from typing import Any

import msgspec

from nebula_lab.errors import (
    ExecutionFailedError,
    ManagerClosedError,
    PluginError,
)
from nebula_lab.link.end import ChannelEndedError
from nebula_lab.reports.exit_report import RunningCall
from nebula_lab.reports.stacks import HostStacks
from nebula_lab.runtime.culprit import ahead_of, is_culprit, waited_behind
from nebula_lab.runtime.failures import (
    error_from,
    error_from_end,
    obstacle_among,
    untaken_error_from,
)
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.listener import Listener
from nebula_lab.runtime.params_summary import summary
from nebula_lab.runtime.relay import LAST_LINES, Relay
from nebula_lab.runtime.stopped import too_late, with_place, withdrawn
from nebula_lab.sandbox.base import Host
from nebula_lab.sandbox.look import Look
from nebula_lab.sandbox.started import Moment
from nebula_lab.transport.call_link import PendingCall
from nebula_lab.wire.encoded import EncodedValue
from nebula_lab.wire.errors import LibraryMissingError, LocalProtocolError, RemoteProtocolError
from nebula_lab.wire.messages import (
    Failure,
    Item,
    Loaded,
    Message,
    Output,
    Reply,
    Request,
)
from nebula_lab.wire.values import decode_value

# How long the end of a host may take once its channel has ended, before it is made to.
_DYING = 1.0
# When a host that has not answered is told again to stop: seconds, as parts of the grace, and
# whether that is the last time.
_INSISTING = ((0.01, 0.1, False), (0.3, 0.5, True))
# Stands for the answer to a call that is not waited for any more.
_LEFT = Failure(0, "withdrawn", "", "", "")


class Conversation(PendingCall):
    """The exchange about one call. It holds the call's number until it is closed.

    Args:
        host: where the call runs.
        invocation: the call.
        listener: is told of output and of what goes wrong.
        grace: seconds that the host has to stop a call before it is killed.
    """

    # Few calls say anything besides their answer, so there is none for each.
    _relay: Relay | None = None
    # What the host was at when it was first told to stop the call.
    _look: Look | None = None
    _was_stuck = False  # and so its host has been ended
    # When it began, if it may start processes and they could be told from those of other calls.
    _moment: Moment | None = None

    def __init__(
        self, host: Host, invocation: Invocation, listener: Listener, grace: float
    ) -> None:
        self._host = host
        self._link = host.link
        self._invocation = invocation
        self._listener = listener
        self._grace = grace
        self._link.open_call(self)
        self._answered = True  # nothing has been asked yet

    def described(self) -> RunningCall:
        call = self._invocation
        return RunningCall(call.operation, "" if call.params is None else summary(call.params))

    def begin(self, message: Message) -> None:
        """Send the message that starts the call, with its number.

        Raises:
            CallCancelledError: nobody wants the call any more.
            PluginCrashedError: the host is gone.
            LocalProtocolError: the message is too large to be sent; the host knows of nothing.
        """
        call = self._invocation
        if call.cancelled:
            raise withdrawn(call)
        if self._host.runs_in_context:
            self.context = contextvars.copy_context()
        self._answered = False
        moments = self._host.moments
        if moments is not None and self._link.is_alone(self):
            self._moment = moments.now()
        try:
            left = call.deadline - time.monotonic()
            self._link.send(message, left if left > 0.001 else 0.001)
        except LocalProtocolError:
            self._answered = True
            raise
        except TimeoutError:
            self._answered = True  # it took nothing of the call, and so will not run it
            raise too_late(call, hint="It was busy, and did not take the call.") from None
        except KeyboardInterrupt:
            self._give_up()
            raise
        except ChannelEndedError as error:
            raise self._crash() from error
        # Not before the call is sent: a host ignores what it is told of calls it does not know.
        call.stop_by(self.cancel)

    def cancel(self) -> None:
        """Stop the call because nobody wants it any more; any thread.

        A host where it does not end within the grace is ended, if that is its own doing, and
        whoever waits is told then; one that is to be spared is not.
        """
        self.stop()
        if self._invocation.spares_host:
            return
        self._link.call_later(self._grace, self._end_host_if_it_still_runs)

    def _end_host_if_it_still_runs(self) -> None:
        if not self._is_under_way():
            return
        self._stacks()  # as long as it is there
        if is_culprit(self._host, self, self._grace):
            self._replace_host("did not stop")
        else:
            self._leave()
            self._link.hand(self, _LEFT)

    def _leave(self) -> None:
        """Wait no more for a call that does not hold up the host."""
        self.is_left = True
        if self.told_at is not None:
            self._end_left_later()

    def told(self) -> None:
        super().told()
        if self.is_left:  # it has come to its turn at last, and is to use it to stop
            self._end_left_later()

    def _replace_host(self, what: str) -> None:
        reason = f"{self._invocation.label} {what}"
        self._listener.host_stuck(self._host, self._invocation.plugin_id, reason)

    def _end_left_later(self) -> None:
        self._link.call_later(self._grace, self._end_host_of_left)

    def _end_host_of_left(self) -> None:
        if not self.answered and self._link.ended is None:
            self._replace_host("did not stop")

    def _is_under_way(self) -> bool:
        return not self._answered and not self.answered and self._link.ended is None

    def stop(self) -> None:
        """Ask the host to stop the call; any thread."""
        if self._look is None:
            self._look = self._host.look()
        try:
            self._link.cancel(self)
            self._host.interrupt(self)
        except (ChannelEndedError, TimeoutError):
            return  # whoever waits for the call finds out by itself
        for delay, part, is_last in _INSISTING:
            insist = partial(self._insist, is_last=is_last)
            self._link.call_later(min(delay, part * self._grace), insist)

    def _insist(self, *, is_last: bool) -> None:
        if not self._is_under_way():
            return
        if ahead_of(self._host, self) is None:
            self._host.insist(self, is_last=is_last)
        else:  # to have stacks written without Python's lock can end what runs
            self._host.interrupt(self)

    def allow(self, items: int) -> None:
        """Take so many more items of a stream."""
        self.credit += items

    def send(self, message: Message) -> None:
        """Send something about the call.

        Raises:
            PluginCrashedError: the host is gone.
        """
        try:
            self._link.send(message, self._grace)
        except (ChannelEndedError, TimeoutError) as error:
            raise self._crash() from error

    def result(self) -> Any:
        """Wait for the call's result.

        Raises:
            PluginTimeoutError: the deadline passed; the call has been stopped.
            PluginCrashedError: the host is gone.
            PluginError: the call failed.
        """
        message = self.next_answer()
        if type(message) is Item:
            raise self._nonsense("an item of a stream that nobody asked for")
        if type(message) is Loaded:
            raise self._nonsense("that it has loaded, to a call")
        return self.value(message.result)

    def loaded(self) -> tuple[Any, int]:
        """Wait for the plugin to be up; what it says of itself, and how many calls it takes."""
        message = self.next_answer()
        if type(message) is not Loaded:
            raise self._nonsense("an answer that is none to a request to load")
        return self.value(message.description), message.concurrency

    def next_answer(self) -> Any:
        """The next `Item`, or the `Reply` or `Loaded` that ends the call."""
        call = self._invocation
        try:
            while True:
                # Looked at anew: what a plugin asks for meanwhile may put it off.
                message = self._link.receive(self, call.deadline)
                kind = type(message)
                if kind is Reply or kind is Loaded or kind is Failure:
                    self._answered = True
                    self._host.collect_output()
                    if not self.box.empty():
                        self._take_late_output()
                    if kind is Failure:
                        raise self._failed(message)
                    return message
                if kind is Item:
                    return message
                self._take(message)
                if time.monotonic() >= call.deadline:  # a host can talk for ever
                    raise TimeoutError
        except TimeoutError:
            raise self._timed_out() from None
        except ChannelEndedError as error:
            raise self._crash() from error
        except KeyboardInterrupt as interrupt:
            self._give_up()
            self.note_place(interrupt)
            raise

    def value(self, encoded: EncodedValue) -> Any:
        """A value that the host sent.

        Raises:
            UnsupportedValueError: it is of a type whose package is not installed here.
            ExecutionFailedError: it makes no sense, or there is no memory for it.
        """
        try:
            return decode_value(encoded, "result")
        except (RemoteProtocolError, LibraryMissingError, MemoryError) as error:
            raise self._untaken(error) from error

    def _untaken(self, error: Exception) -> PluginError:
        if isinstance(error, RemoteProtocolError):
            return self._nonsense(str(error))
        return untaken_error_from(error, self._invocation.plugin_id, self._invocation.operation)

    def close(self) -> None:
        """Expect nothing more; a call that still runs is stopped."""
        if not self._answered:
            if self._link.ended is None:
                # A stream that was read as far as was wanted may have started what is to stay.
                self._stop_and_wait(keeps_started=self._invocation.is_stream)
            else:
                self._listener.host_lost(self._host, self._invocation.plugin_id)
        self._answered = True
        if self._host.is_spent:
            self._replace_host("has used its host up")
        self._invocation.on_cancel = None
        if self.is_left:
            self._link.leave_call(self)
        else:
            self._link.close_call(self)

    def note_place(self, interrupt: BaseException) -> None:
        """Note with what stopped the call where the plugin was, if known; once is enough."""
        if not getattr(interrupt, "__notes__", ()):
            with_place(interrupt, self._invocation, self._stacks())

    # What comes besides the answer

    def _take(self, message: Any) -> None:
        if self._relay is None:
            self._relay = Relay(self._invocation, self._host, self._listener)
        try:
            self._relay.take(message)
        except (RemoteProtocolError, LibraryMissingError, MemoryError) as error:
            raise self._untaken(error) from error

    def _take_late_output(self) -> None:
        """What was written past the channel before the answer comes ahead of it."""
        while not self.box.empty():
            message = self.box.get_nowait()
            if isinstance(message, Output):
                self._listener.output(self._invocation, message)

    # What goes wrong

    def _failed(self, message: Failure) -> Exception:
        if message.kind == "withdrawn" and self._look is not None:
            return self._withdrawn()
        if self._invocation.cancelled:
            self._end_started(message)
            # Whatever it says of it: a call that it made itself was told so first, for instance.
            return withdrawn(self._invocation, self._stacks())
        if message.kind == "cancelled":
            # Nobody asked for it: the plugin raised KeyboardInterrupt by itself.
            message = msgspec.structs.replace(message, kind="raised")
        if not self._invocation.is_stream and not self._invocation.left():
            # It failed because its time was over: a call that it made itself was told so first.
            return too_late(self._invocation, message.traceback, self._stacks())
        call = self._invocation
        if not message.obstacle and message.kind == "raised":
            obstacle = obstacle_among(self._host.new_stops(), message)
            message = msgspec.structs.replace(message, obstacle=obstacle)
        cause = call.failed_calls.get(message.request)
        return error_from(message, call.plugin_id, call.operation, self._host.policy, cause)

    def _withdrawn(self) -> PluginError:
        """The error of a call of which nothing has run, so that it was at no place."""
        hint = waited_behind(self._host, self)
        stopped = withdrawn if self._invocation.cancelled else too_late
        return stopped(self._invocation, hint=hint)

    def _timed_out(self) -> PluginError:
        answer = self._stop_and_wait()
        call, stacks = self._invocation, self._stacks()
        if self.is_left or (type(answer) is Failure and answer.kind == "withdrawn"):
            return self._withdrawn()
        if answer is not None:
            where = answer.traceback if type(answer) is Failure else ""
            return too_late(call, where, stacks, hint="It was interrupted.")
        hint = self._host.after_kill
        if not self._was_stuck:
            hint = f"Its process ended meanwhile: {self._host.exit_report(_DYING).reason}."
        return too_late(call, "", stacks, hint=hint)

    def _stacks(self) -> HostStacks | None:
        """What the host was at when it was told to stop; to be asked before it is ended."""
        return None if self._look is None else self._look.stacks()

    def _stop_and_wait(self, *, keeps_started: bool = False) -> Reply | Failure | Loaded | None:
        """Stop the call; its answer, or None without one: its host was ended, or it was left."""
        deadline = time.monotonic() + self._grace
        self.stop()
        while True:
            try:
                if time.monotonic() > deadline + self._grace:
                    raise TimeoutError  # it has said much since, and no answer
                message = self._link.receive(self, deadline)
            except TimeoutError:
                self._stacks()
                self._end_host_or_leave(self._grace)
                return None
            except ChannelEndedError:
                return None
            except KeyboardInterrupt:
                # Whoever interrupts again does not want to wait for the grace period.
                self._end_host_or_leave(0.0)
                raise
            if isinstance(message, Reply | Failure | Loaded):
                self._answered = True
                if not keeps_started:
                    self._end_started(message)
                return message
            if isinstance(message, Request | Item):
                continue  # the caller has gone; nobody wants it any more
            self._take(message)

    def _end_started(self, answer: Message) -> None:
        """End the processes that the call started, since it was interrupted and can't end them."""
        moment = self._moment
        if moment is not None and type(answer) is Failure and self._link.is_alone(self):
            self._host.end_started(moment)

    def _end_host_or_leave(self, grace: float) -> None:
        """Have done with a call that has not stopped within the grace."""
        self._answered = True  # nobody waits for its end
        if is_culprit(self._host, self, grace):
            self._was_stuck = True
            self._replace_host("did not stop")
        else:
            self._leave()

    def _give_up(self) -> None:
        """Stop the call after a KeyboardInterrupt, which may have cut a message in two."""
        if self._link.ended is None:
            self._stop_and_wait()
        else:
            self._answered = True
            self._replace_host("was interrupted")

    def _nonsense(self, what: str) -> ExecutionFailedError:
        self._link.end(f"it sent {what}")
        return self._crash()

    def _crash(self) -> ExecutionFailedError:
        report = self._host.exit_report(_DYING)
        self._answered = True
        self._take_late_output()
        call = self._invocation
        self._listener.host_lost(self._host, call.plugin_id)
        if self._host.manager_closes:
            raise ManagerClosedError("the manager has been closed")
        if call.cancelled:
            return withdrawn(call, self._stacks(), hint=self._host.after_kill)
        # What the call wrote to sys.stderr came by the channel, and so before the end.
        complaints = () if self._relay is None else self._relay.complaints
        words = (*complaints, *report.stderr_tail)
        report = msgspec.structs.replace(report, stderr_tail=words[-LAST_LINES:])
        return error_from_end(report, call.plugin_id, call.operation, self._host.policy)
