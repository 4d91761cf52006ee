"""The plugin in a machine, as the server that speaks for it sees it."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from nebula_lab.agent.components.refusal import RefusedError
from nebula_lab.agent.components.texts import GuestError, from_text, to_text
from nebula_lab.agent.job import Job, JobCancelledError, current_job
from nebula_lab.agent.tracebacks import request_behind
from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.plain import to_plain
from nebula_lab.sandbox.wasm.exchange import Exchange
from nebula_lab.sandbox.wasm.guest_values import (
    NonsenseError,
    error_of,
    refusal_of,
    text_of,
    value_of,
)
from nebula_lab.sandbox.wasm.lacks import sentence_for
from nebula_lab.sandbox.wasm.machine import Functions, LeftError, Machine
from nebula_lab.wire.messages import Load, Log, Progress

if TYPE_CHECKING:
    from nebula_lab.agent.server import Server

_LEVELS = range(101)
_CALLS = frozenset({"operation", "cell"})
# The interfaces that the component imports.
_HOST = "nebula:plugin/host@0.1.0"
_MORE = "nebula:python-host/more@0.2.0"
MakeMachine = Callable[[Mapping[str, Functions]], Machine]


class Described:
    """What a plugin says of itself, passed on as it came."""

    def __init__(self, told: Any) -> None:
        self._told = told

    def to_dict(self) -> Any:
        return self._told


class WasmResident:
    """A plugin in a machine; has what `agent.resident.Resident` has.

    Args:
        load: what to bring up.
        config: what the plugin is initialized with.
        server: carries what it says and asks.
        exchange: has large content.
        make: makes its machine, with the functions that it may call.
        seen: what a path of ours is called in there.
    """

    concurrency = 1
    is_async = False
    module = None
    resource = None

    def __init__(
        self,
        load: Load,
        config: Any,
        server: Server,
        exchange: Exchange,
        make: MakeMachine,
        seen: Callable[[str], str],
    ) -> None:
        self._load = load
        self._config = config
        self._server = server
        self._exchange = exchange
        self._make = make
        self._seen = seen
        self._machine: Machine | None = None
        self.streams = False
        self.told_call = 0  # the call whose code has been told to stop
        self.is_waiting = False  # in what a `Cancel` ends, or about to stop
        self.description = Described({})

    @property
    def machine(self) -> Machine | None:
        """None before it is made."""
        return self._machine

    def bring_up(self) -> None:
        """Make the machine, and have the plugin start in it."""
        load = self._load
        self._machine = self._make(self._functions())
        request = {
            "plugin_id": load.plugin_id,
            "config": self._config,
            "api_version": load.api_version,
            "scratch_dir": self._seen(load.scratch_dir),
            "path": self._seen(load.path),
            "origin": load.origin,
        }
        self.description = Described(self._ask("start", text_of(request, self._exchange, "config")))

    def perform(self, kind: str, operation: str, params: Any) -> Any:
        """Do one of the kinds of things that a plugin can be asked for."""
        if self._machine is not None:
            self._machine.watch.forgive()  # what it was to stop for is over
            # The items of a stream are a part of the call that began it.
            self._machine.refuel(is_call=kind in _CALLS)
        text = text_of({"value": params}, self._exchange, "params")
        answer = self._object(self._ask("perform", kind, operation, text))
        if "stream" in answer:
            number = answer["stream"]
            if type(number) is not int or not 0 <= number < 2**32:
                raise NonsenseError("a stream that is none")
            return self._items(number)
        return answer.get("value")

    def run_cell(self, code: str) -> Any:
        """Run code in the plugin's module."""
        return self.perform("cell", "", code)

    def runs_async(self, operation: str) -> bool:
        return False

    def plain(self, value: Any) -> Any:
        return value

    def failed(self, job: Job, error: BaseException) -> None:
        """The machine has noted it."""

    def forget(self) -> None:
        """Let go of the machine; where it runs, and it does not."""
        machine, self._machine = self._machine, None
        if machine is not None:
            machine.close()

    def _items(self, number: int) -> Iterator[Any]:
        has_ended = False
        job = current_job.get()
        self.streams = True
        try:
            while True:
                if job is not None and job.cancelled:
                    raise JobCancelledError
                answer = self._object(self._ask("next-item", number))
                if "value" not in answer:
                    has_ended = True
                    return
                yield answer["value"]
        finally:
            self.streams = False
            if not has_ended:
                self._close(number)

    def _close(self, number: int) -> None:
        machine = self._machine
        if machine is None or machine.has_ended:
            return  # the stream has ended with it
        self.is_waiting = True  # it has been told; what it does about it has the grace
        machine.watch.forgive()
        machine.refuel(is_call=True)
        try:
            self._ask("close-stream", number)
        finally:
            self.is_waiting = False

    def _object(self, answer: Any) -> dict[str, Any]:
        if type(answer) is not dict:
            raise NonsenseError("an answer that is no object")
        return answer

    def _ask(self, function: str, *arguments: Any) -> Any:
        if self._machine is None:
            raise PluginError("no plugin has been loaded into this host")
        try:
            return value_of(self._machine.call(function, *arguments), self._exchange)
        except RefusedError as refusal:
            error = error_of(refusal.said)
            more = sentence_for(error.told)
            if more:
                error.told["message"] = f"{error.told['message']}. {more}"
            raise error from None
        finally:
            self._exchange.tidy()

    # What the machine may call. It runs on the machine's thread, while one of its functions runs.

    def _functions(self) -> dict[str, Functions]:
        return {
            _HOST: {
                "log": self._log_by_word,
                "output": self._output,
                "progress": self._progress,
                "call-plugin": self._call_plainly,
                # Items are asked for one at a time: see `_items`.
                "yield-item": lambda item: False,
            },
            _MORE: {
                "log": self._log,
                "call": self._call,
                "sleep": self._sleep,
                "leave": self._leave,
            },
        }

    def _log_by_word(self, level: str, message: str) -> None:
        self._log(logging.getLevelNamesMapping()[level.upper()], message)

    def _log(self, level: int, message: str) -> None:
        job = self._flushed()
        number = level if level in _LEVELS else 20
        label = job.label if job is not None else 0
        self._server.send(Log(label, number, self._load.plugin_id, message))

    def _output(self, channel: str, text: str) -> None:
        stream = "stderr" if channel == "stderr" else "stdout"
        job = current_job.get()
        for output in job.printed(stream, text) if job is not None else ():
            self._server.send(output)

    def _progress(self, done: float, total: float | None, text: str) -> None:
        job = current_job.get()
        if job is not None:
            self._server.send(Progress(job.label, done, total, text))

    def _call(self, plugin_id: str, operation: str, params: str, timeout: float | None) -> Any:
        from wasmtime.component import Variant

        job = self._flushed()
        try:
            given = value_of(params, self._exchange)
            if type(given) is not dict:
                raise NonsenseError("params that are no object")
            result = self._requested(plugin_id, operation, given, timeout)
            return Variant("ok", text_of({"value": result}, self._exchange, "result"))
        except (PluginError, TypeError, KeyboardInterrupt, JobCancelledError) as error:
            is_over = self._is_over(job)
            request = request_behind(error)
            return Variant("err", refusal_of(error, request, cancelled=is_over))

    def _is_over(self, job: Job | None) -> bool:
        """Whether the call that waited for another one is to stop, of which it is told by that."""
        if job is None or not job.cancelled:
            return False
        self.told_call = job.call
        return True

    def _call_plainly(self, plugin_id: str, operation: str, params: str) -> Any:
        from wasmtime.component import Variant

        job = self._flushed()
        try:
            given = from_text(params, "what it gives to another plugin")
            result = self._requested(plugin_id, operation, given, None)
            return Variant("ok", to_text(to_plain(result), "result"))
        except (PluginError, GuestError, TypeError, KeyboardInterrupt, JobCancelledError) as error:
            return Variant("err", "the call is to stop" if self._is_over(job) else str(error))

    def _requested(self, plugin: str, operation: str, given: Any, timeout: float | None) -> Any:
        self.is_waiting = True
        try:
            return self._server.request(plugin, operation, given, timeout)
        finally:
            self.is_waiting = False

    def _sleep(self, seconds: float) -> bool:
        """Wait; True if the call is cancelled meanwhile."""
        job = self._flushed()
        if job is None or not seconds > 0:
            return False
        self.is_waiting = True
        try:
            return self._was_cancelled_within(job, time.monotonic() + min(seconds, 10.0**9))
        finally:
            self.is_waiting = False

    def _was_cancelled_within(self, job: Job, deadline: float) -> bool:
        while not job.cancelled:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                self._server.receive(job.box, left)
        self.told_call, job.interrupted = job.call, True
        return True

    def _leave(self, code: int) -> None:
        raise LeftError(code)

    def _flushed(self) -> Job | None:
        job = current_job.get()
        for output in job.flushed() if job is not None else ():
            self._server.send(output)
        return job
