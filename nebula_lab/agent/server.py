"""Serves a plugin to its manager: takes calls in, sends results, output and requests out."""

from __future__ import annotations

import contextlib
import contextvars
import os
import platform
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from queue import SimpleQueue
from types import FrameType
from typing import Any

from nebula_lab.agent.executing import Executing
from nebula_lab.agent.failures import failure_of
from nebula_lab.agent.interrupts import Interrupts
from nebula_lab.agent.job import Job, JobCancelledError, current_job
from nebula_lab.agent.resident import Resident
from nebula_lab.agent.steps import OUR_FRAME, Stoppable
from nebula_lab.agent.tracebacks import came_of
from nebula_lab.agent.unbegun import Unbegun, withdrawal
from nebula_lab.link.channel import Channel
from nebula_lab.link.end import End
from nebula_lab.link.thread_channel import ThreadChannel
from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.plain import is_plain, to_plain
from nebula_lab.wire.encoded import EncodedValue
from nebula_lab.wire.errors import LocalProtocolError, ProtocolError
from nebula_lab.wire.messages import (
    COOKIE,
    PROTOCOL_VERSIONS,
    Call,
    Cancel,
    Credit,
    Failure,
    Hello,
    Item,
    Load,
    Loaded,
    Message,
    Reply,
    Request,
    Response,
    ResponseFailure,
    Welcome,
)
from nebula_lab.wire.protocol import Connection, Side
from nebula_lab.wire.values import decode_value, encode_plain, encode_value

Work = Callable[[], Any]
_FALSE = partial(bool)
# What an operation gives that is neither a generator nor anything to be awaited.
ORDINARY = frozenset({dict, list, str, int, float, bool, bytes, type(None)})


def _nothing_to_halt(call: int) -> None:
    """Python code is stopped by an exception."""


class Server:
    """One plugin's end of the channel.

    Args:
        line: to the manager: a connected socket, or a thread's end of a channel.
        handle_signals: whether this is a process of its own, whose main thread SIGINT may stop.
        on_stop: called, once for each call that is to be stopped, before it is.
        run_in_context: runs a job's work; in the manager's own process, in the caller's context.
        executing: says which call runs on the thread that this is made on.
        module_life: makes the module's name differ between two lives in one process.
    """

    def __init__(
        self,
        line: socket.socket | ThreadChannel,
        *,
        handle_signals: bool = False,
        on_stop: Callable[[], object] = _FALSE,
        run_in_context: Callable[[Job, Work], Any] | None = None,
        executing: Executing | None = None,
        module_life: str = "",
    ) -> None:
        self.channel = _channel_on(line, self._route)
        self.inbox: SimpleQueue[Any] = SimpleQueue()
        self.resident: Resident | None = None
        self.run_cell: Callable[[str], Any] | None = None
        self.on_loaded: Callable[[Resident], object] | None = None
        # Shows what is left once a job is done; asked for only where `has_more_to_show` says so.
        self.after_job: Callable[[], None] = lambda: None
        self.has_more_to_show: Callable[[], object] = _FALSE
        self.on_inbox: Callable[[], object] | None = None
        self._run_in_context = run_in_context
        self._module_life = module_life
        self._jobs: dict[int, Job] = {}
        self._unbegun = Unbegun()
        self._requests: dict[int, SimpleQueue[Any]] = {}
        self._last_request = 0
        self._registering = threading.Lock()
        self.on_main: Stoppable | None = None  # what a SIGINT may stop
        self.executing: Executing = [0] if executing is None else executing
        # Where there is no SIGINT: runs a step of a task so that it can be stopped all the same.
        self.guard_step: Callable[[Stoppable, Work], Any] | None = None
        # Stops a call that no exception reaches, by its number; any thread.
        self.halt: Callable[[int], object] = _nothing_to_halt
        self.most_memory: int | None = None  # bytes, where nothing else limits the plugin's
        self.perished = ""  # why this host is ending, where its plugin brought that about
        self._on_stop = on_stop
        self._interrupts: Interrupts | None = None
        self._thread = threading.get_ident()
        if handle_signals:
            self._interrupts = Interrupts(self._is_to_stop)
            self._interrupts.install()

    def greet(self) -> bool:
        """Say hello; whether the manager wants to talk."""
        self.send(Hello(COOKIE, list(PROTOCOL_VERSIONS), os.getpid(), platform.python_version()))
        return type(self.receive(self.inbox)) is Welcome

    @property
    def socket_channel(self) -> Channel:
        """The channel, of a server that has a socket."""
        assert isinstance(self.channel, Channel)
        return self.channel

    # Messages

    def send(self, message: Message) -> None:
        with self._uninterrupted():
            self.channel.send(message)

    def receive(self, box: SimpleQueue[Any], timeout: float | None = None) -> Any:
        """The next message of a mailbox; see `Channel.get`."""
        with self._uninterrupted():
            return self.channel.get(box, timeout)

    def next_message(self) -> Any:
        """The next message for whoever serves, on the thread that this was made on.

        No call runs there meanwhile, so that an interrupt has nothing to stop: see `Interrupts`.
        """
        return self.channel.get_until(self.inbox, None)

    def _route(self, message: Any) -> None:
        kind = type(message)
        if kind is Call:  # known before it runs, so that a Cancel right behind it finds it
            job = self._jobs[message.call] = Job(message.call, message.stream_credit)
            if message.kind == "operation":
                job.operation = message.operation
            self._unbegun.add(job)
            self._take_in(message)
        elif kind is Cancel or kind is Credit:
            self._route_to_job(message)
        elif kind is Response or kind is ResponseFailure:
            box = self._requests.get(message.request)
            if box is not None:
                box.put(message)
        else:
            if kind is Load:
                job = self._jobs[message.call] = Job(message.call)
                self._unbegun.add(job)
            self._take_in(message)

    def _take_in(self, message: Any) -> None:
        self.inbox.put(message)
        if self.on_inbox is not None:
            self.on_inbox()

    def _route_to_job(self, message: Cancel | Credit) -> None:
        job = self._jobs.get(message.call)
        if job is None:
            return  # it has been answered meanwhile
        if type(message) is Cancel:
            self._unbegun.withdraw(job)
        job.receive(message)
        if job.cancelled and self._is_elsewhere() and (job is self.on_main or not job.begun):
            # Another thread of the plugin's happened to read this; let the main thread know.
            signal.pthread_kill(self._thread, signal.SIGINT)

    def _is_elsewhere(self) -> bool:
        return self._interrupts is not None and threading.get_ident() != self._thread

    # Interrupts

    @property
    def takes_signals(self) -> bool:
        """Whether SIGINT stops what runs here."""
        return self._interrupts is not None

    def uninterrupted(self) -> contextlib.AbstractContextManager[None]:
        """What is done within it is not interrupted; an interrupt comes at its end."""
        return self._uninterrupted()

    def look_for_stops(self) -> None:
        """Take in what has arrived, while the main thread can't; any other thread."""
        with contextlib.suppress(ProtocolError, ConnectionError):
            self.channel.read()
        self._note_stops()

    def call_to_stop(self) -> int:
        """The number of the call that runs on the main thread, if it is to be stopped; else 0."""
        running = self.on_main
        job = None if running is None else self._jobs.get(running.call)
        return job.call if job is not None and job.cancelled else 0

    def perish(self, reason: str) -> BaseException:
        """End this host, as its plugin can't go on; what is to be raised for that."""
        self.perished = reason
        return self.channel.end(reason)

    def _uninterrupted(self) -> contextlib.AbstractContextManager[None]:
        if self._interrupts is None or threading.get_ident() != self._thread:
            return contextlib.nullcontext()
        return self._interrupts

    def _is_to_stop(self, frame: FrameType | None) -> bool:
        """Look at what has arrived: is what runs on the main thread to be stopped?"""
        with contextlib.suppress(ProtocolError, ConnectionError):
            self.channel.read()
            # Where nothing runs, what was withdrawn is come to anyway.
            if self.on_main is not None:
                self.tell_withdrawn()
        self._note_stops()
        if self.on_main is None or (frame is not None and frame.f_code is OUR_FRAME):
            return False
        return self.on_main.is_to_stop()

    def _note_stops(self) -> None:
        """Let be known that calls are stopped, while they are still where they are."""
        fresh = [job for job in list(self._jobs.values()) if job.cancelled and not job.is_noted]
        for job in fresh:
            job.is_noted = True
        if fresh:
            self._on_stop()

    def tell_withdrawn(self) -> None:
        """Answer the calls that were withdrawn; on the main thread, where nothing is being sent."""
        for job in self._unbegun.untold():
            with contextlib.suppress(TimeoutError):  # it is told when its turn comes
                self.channel.send(withdrawal(job), timeout=0.0)
                self._unbegun.told(job)

    # Jobs

    def begin(self, job: Job) -> bool:
        """Whether a job's call begins now; not if it has been withdrawn."""
        return self._unbegun.begin(job)

    def job_of(self, message: Call | Load) -> Job:
        return self._jobs.get(message.call) or Job(message.call)

    def context_of(self, job: Job) -> contextvars.Context:
        """What a job that runs as a task is to run in; not shared with anything."""
        return contextvars.copy_context()

    def outcome(self, job: Job, work: Work) -> Message:
        """Run a job's work on this thread; the message that answers the call."""
        if not self._unbegun.begin(job):
            return withdrawal(job)
        token = current_job.set(job)
        on_main = threading.get_ident() == self._thread
        try:
            try:
                if on_main:
                    self.on_main = job
                    self.executing[0] = job.call
                if job.cancelled:
                    raise JobCancelledError
                result = work() if self._run_in_context is None else self._run_in_context(job, work)
            finally:
                if on_main:
                    self.on_main = None
                    self.executing[0] = 0
            return Reply(job.call, encode_result(result))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the caller is told
            if on_main:
                self.on_main = None
                self.executing[0] = 0
            return self.failure(job, error)
        finally:
            current_job.reset(token)

    def failure(self, job: Job, error: BaseException) -> Failure:
        """The message that says why a job gave no result."""
        if self.resident is not None:
            self.resident.failed(job, error)
        return failure_of(error, job.call)

    def finish(self, job: Job, message: Message) -> None:
        """Send what the job has printed and then its answer, in this order."""
        # No call runs on this thread any more, so that an interrupt has nothing to stop.
        send = self.channel.send
        if not job.begun:
            self._jobs.pop(job.call, None)
            if not job.told:
                self._unbegun.told(job)
                send(message)
            return
        if self.has_more_to_show():
            token = current_job.set(job)
            try:
                self.after_job()
            finally:
                current_job.reset(token)
        for output in job.flushed():
            send(output)
        job.ended = True
        self._jobs.pop(job.call, None)
        try:
            send(message)
        except LocalProtocolError as error:
            send(failure_of(error, job.call))

    def drive(self, job: Job, result: Any) -> Any:
        """Send a generator's items one by one; anything else is the result itself."""
        if type(result) in ORDINARY or not isinstance(result, Iterator):
            return result
        assert self.resident is not None
        try:
            if not job.granted:
                return [self.resident.plain(item) for item in result]
            for item in result:
                self.await_credit(job)
                self.send_item(job, item)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
        return None

    def send_item(self, job: Job, item: Any) -> None:
        assert self.resident is not None
        job.used += 1
        value = encode_value(self.resident.plain(item), "item")
        for output in job.flushed():
            self.send(output)
        self.send(Item(job.call, value))

    def await_credit(self, job: Job) -> None:
        """Wait until the caller wants another item of the stream."""
        with contextlib.suppress(TimeoutError):
            while True:
                self.receive(job.box, 0.0)
        while job.credit <= 0 and not job.cancelled:
            self.receive(job.box)
        if job.cancelled:
            raise JobCancelledError

    # What a plugin asks of its host

    def request(
        self, plugin_id: str, operation: str, params: dict[str, Any], timeout: float | None
    ) -> Any:
        """Have the manager call another plugin; any thread."""
        job = current_job.get()
        box: SimpleQueue[Any] = job.box if job is not None else SimpleQueue()
        if job is None or self._is_elsewhere():
            box = SimpleQueue()
        encoded = encode_value(params, "params")
        with self._registering:
            self._last_request += 1
            number = self._last_request
            self._requests[number] = box
        try:
            for output in job.flushed() if job is not None else ():
                self.send(output)
            label = job.label if job is not None else 0
            self.send(Request(number, label, plugin_id, operation, encoded, timeout))
            return self._response(box, number, job)
        finally:
            self._requests.pop(number, None)

    def _response(self, box: SimpleQueue[Any], number: int, job: Job | None) -> Any:
        while True:
            message = self.receive(box)
            if type(message) is Response and message.request == number:
                return decode_value(message.result, "result", is_frozen=True)
            if type(message) is ResponseFailure and message.request == number:
                failed = PluginError(f"{message.error_type}: {message.message}")
                raise came_of(failed, number)
            if type(message) is Cancel and job is not None and not job.interrupted:
                job.interrupted = True
                raise KeyboardInterrupt

    # Loading

    def load(self, message: Load) -> None:
        """Bring the plugin up, and send what it then is or why it is not."""
        job = self.job_of(message)
        outcome = self.outcome(job, partial(self._bring_up, message))
        if self.resident is not None and isinstance(outcome, Reply):
            outcome = Loaded(job.call, outcome.result, self.resident.concurrency)
        self.finish(job, outcome)

    def _bring_up(self, message: Load) -> dict[str, Any]:
        self.resident = self.make_resident(message)
        self.resident.bring_up()
        if self.on_loaded is not None:
            self.on_loaded(self.resident)
        return self.resident.description.to_dict()

    def make_resident(self, message: Load) -> Resident:
        """What stands for the plugin that is to be brought up."""
        return Resident(message, self, self._module_life)

    def perform(self, call: Call) -> Any:
        """Do what a call asks for; may give a generator, a coroutine or an async generator."""
        if self.resident is None:
            raise PluginError("no plugin has been loaded into this host")
        params = decode_value(call.params, "params", is_frozen=True)
        if call.kind == "cell":
            if self.run_cell is None:
                return self.resident.run_cell(params)
            return self.run_cell(params)
        return self.resident.perform(call.kind, call.operation, params)


def _channel_on(line: socket.socket | ThreadChannel, route: Callable[[Any], None]) -> End:
    if isinstance(line, ThreadChannel):
        line.route = route
        return line
    return Channel(line, Connection(Side.HOST), route)


def encode_result(result: Any) -> EncodedValue:
    """A result, made plain; see `encode_value` for what is refused."""
    return encode_plain(result) if is_plain(result) else encode_value(to_plain(result), "result")
