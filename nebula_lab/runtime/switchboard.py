"""Connects what conversations tell with those whom it concerns."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from nebula_lab.errors import CallCycleError, DependencyError, PluginError, UnsupportedValueError
from nebula_lab.link.end import ChannelEndedError
from nebula_lab.model import PluginConfig
from nebula_lab.model.quantities import LONGEST_WAIT
from nebula_lab.plugin.safe_text import prose
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.journal import Journal
from nebula_lab.runtime.listener import Listener
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.unclaimed import UnclaimedRequests
from nebula_lab.runtime.workers import Workers
from nebula_lab.sandbox.base import Host
from nebula_lab.wire.errors import LocalProtocolError, RemoteProtocolError, ValueNotSupportedError
from nebula_lab.wire.messages import (
    Display,
    Log,
    Message,
    Output,
    Progress,
    Request,
    Response,
    ResponseFailure,
)
from nebula_lab.wire.values import decode_value, encode_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from nebula_lab.runtime.calls import CallPath
    from nebula_lab.runtime.catalogue import Catalogue
    from nebula_lab.runtime.supervisor import Supervisor

_log = logging.getLogger("nebula_lab")


class Switchboard(Listener):
    """Output goes to the journal, lost hosts to the supervisor, requests of plugins to the calls.

    `connect` completes it, because the calls need it themselves.
    """

    def __init__(
        self,
        config: PluginConfig,
        catalogue: Catalogue,
        journal: Journal,
        workers: Workers,
        sink: Callable[[], OutputSink],
    ) -> None:
        self._config = config
        self._catalogue = catalogue
        self._journal = journal
        self._unclaimed = UnclaimedRequests(workers, self._serve_unclaimed, config.grace)
        self._sink = sink
        self._calls: CallPath | None = None
        self._supervisor: Supervisor | None = None

    def connect(self, calls: CallPath, supervisor: Supervisor) -> None:
        self._calls = calls
        self._supervisor = supervisor

    def output(self, invocation: Invocation, message: Output) -> None:
        self._journal.output(invocation, message)

    def display(self, invocation: Invocation, action: str, bundle: dict[str, Any]) -> None:
        self._journal.display(invocation, action, bundle)

    def log(self, invocation: Invocation, message: Log) -> None:
        self._journal.log(invocation, message)

    def progress(self, invocation: Invocation, message: Progress) -> None:
        self._journal.progress(invocation, message)

    def host_stuck(self, host: Host, plugin_id: str, reason: str) -> None:
        assert self._supervisor is not None
        self._supervisor.host_stuck(self._catalogue.record(plugin_id), host, reason)

    def host_lost(self, host: Host, plugin_id: str) -> None:
        assert self._supervisor is not None
        self._supervisor.host_lost(self._catalogue.record(plugin_id), host)

    def unclaimed(self, plugin_id: str, host: Host, message: Any) -> None:
        """A message of no call; on whatever thread reads, which must not be held up."""
        if isinstance(message, Request):
            self._unclaimed.take(plugin_id, host, message)
        elif isinstance(message, Output | Log | Display | Progress):
            self._journal.background(plugin_id, message)

    def request(self, invocation: Invocation, host: Host, message: Request) -> None:
        self._serve(invocation.plugin_id, invocation, host, message)

    # Calls between plugins

    def _serve_unclaimed(self, plugin_id: str, host: Host, message: Request) -> None:
        self._serve(plugin_id, None, host, message)

    def _serve(self, caller: str, parent: Invocation | None, host: Host, message: Request) -> None:
        try:
            host.link.send(self._answer(caller, parent, host, message), self._config.grace)
        except LocalProtocolError as error:
            failure = ResponseFailure(message.request, type(error).__name__, str(error))
            host.link.send(failure, self._config.grace)
        except TimeoutError:
            host.link.end("it did not take the answer to its request")
        except ChannelEndedError:
            pass  # the caller is gone; whoever waits for it finds out by itself

    def _answer(
        self, caller: str, parent: Invocation | None, host: Host, message: Request
    ) -> Message:
        try:
            result = self._call(caller, parent, host, message)
            return Response(message.request, encode_value(result, "result"))
        except ValueNotSupportedError as error:
            refusal = UnsupportedValueError(error.element, error.found)
            return ResponseFailure(message.request, type(refusal).__name__, str(refusal))
        except PluginError as error:
            if parent is not None:
                parent.note_failed_call(message.request, error.with_traceback(None))
            # Without the traceback: it is for whoever called the caller, not for its plugin.
            text = prose(error.headline())
            return ResponseFailure(message.request, type(error).__name__, text)
        except RemoteProtocolError as error:
            return ResponseFailure(message.request, type(error).__name__, str(error))
        except Exception as error:  # noqa: BLE001 - logged; whoever asked would wait for ever
            _log.exception("a call by %s failed", caller)
            return ResponseFailure(message.request, type(error).__name__, str(error))

    def _call(self, caller: str, parent: Invocation | None, host: Host, message: Request) -> Any:
        assert self._calls is not None
        self._require_declared(caller, host, message.plugin_id)
        params = decode_value(message.params)
        if not isinstance(params, dict):
            raise PluginError("params must be a dict of values by name", plugin_id=caller)
        timeout = self._config.timeout if message.timeout is None else message.timeout
        if not 0 < timeout < float("inf"):
            raise PluginError(f"a time-out of {timeout} s makes no sense", plugin_id=caller)
        timeout = min(timeout, LONGEST_WAIT)
        sink = self._sink() if parent is None else parent.sink
        if parent is not None and message.timeout is None:
            timeout = parent.timeout
        invocation = Invocation(message.plugin_id, message.operation, timeout, sink, parent)
        invocation.callee = host.peers.get(message.plugin_id)
        self._refuse_to_come_back(caller, invocation)
        if parent is None:
            return self._calls.run(invocation, params)
        with parent.waiting_for(invocation):
            return self._calls.run(invocation, params)

    def _require_declared(self, caller: str, host: Host, callee: str) -> None:
        declared = host.needs or ()  # its own, while a later version is about to take its place
        if callee not in declared:
            descriptor = self._catalogue.record(caller).descriptor
            listed = ", ".join(declared) or "none"
            raise DependencyError(
                f"calls {callee}, which is not among its dependencies ({listed})",
                plugin_id=caller,
                path=descriptor.declared_in.path if descriptor.declared_in else descriptor.path,
                hint=f'Declare it: dependencies = ["{callee}"].',
            )

    def _refuse_to_come_back(self, caller: str, invocation: Invocation) -> None:
        waiting = {caller, *(call.plugin_id for call in invocation.ancestors())}
        if invocation.plugin_id in waiting:
            raise CallCycleError(
                plugin_id=invocation.plugin_id,
                operation=invocation.operation,
                chain=invocation.chain() if invocation.parent else [caller, invocation.label],
            )
