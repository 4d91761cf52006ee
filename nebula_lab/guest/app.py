"""The component: what `wit/python-host.wit` exports, in terms of `Residence`.

`wit_world` and `componentize_py_types` are made by componentize-py when the component is built.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import TypeVar

import wit_world  # type: ignore[import-not-found]
from componentize_py_types import Err  # type: ignore[import-not-found]
from wit_world.exports import guest  # type: ignore[import-not-found]
from wit_world.imports import host, more  # type: ignore[import-not-found]

from nebula_lab.agent.tracebacks import capped, message_of
from nebula_lab.guest import event_loop, modules
from nebula_lab.guest.line import connect
from nebula_lab.guest.ordinary import Ordinary
from nebula_lab.guest.residence import Residence

_T = TypeVar("_T")
_STREAMS = {"stdout": host.OutputStream.STDOUT, "stderr": host.OutputStream.STDERR}
_HOST = SimpleNamespace(
    log=more.log,
    output=lambda stream, text: host.output(_STREAMS[stream], text),
    progress=host.progress,
    call=more.call,
    sleep=more.sleep,
    leave=more.leave,
)

MISSING = modules.import_all()
event_loop.use_everywhere(lambda seconds: time.sleep(seconds))
_residence: Residence | None = None


def _there() -> Residence:
    # Made when it is first needed: while the component is built, there is no host to talk to.
    global _residence
    if _residence is None:
        connect(_HOST)
        _residence = Residence(_HOST, Err)
    return _residence


class WitWorld(wit_world.WitWorld):  # type: ignore[misc]
    """What the world exports."""

    def start(self, request: str) -> str:
        return _told(lambda there: there.start(request))

    def perform(self, kind: str, operation: str, params: str) -> str:
        return _told(lambda there: there.perform(kind, operation, params))

    def next_item(self, number: int) -> str:
        return _told(lambda there: there.next_item(number))

    def close_stream(self, number: int) -> str:
        return _told(lambda there: there.close_stream(number))


class Guest(wit_world.exports.Guest):  # type: ignore[misc]
    """What the world exports that components in other languages have too."""

    def describe(self) -> str:
        return _ordinary().describe()

    def initialize(self, config: str) -> None:
        _done_or_failed(lambda: _ordinary().initialize(config))

    def execute(self, operation: str, params: str) -> str:
        return _done_or_failed(lambda: _ordinary().execute(operation, params))

    def health_check(self) -> object:
        state, message = _ordinary().health()
        return guest.Health(guest.HealthState[state.upper()], message)

    def save_state(self) -> str | None:
        return _ordinary().save_state()

    def restore_state(self, state: str) -> None:
        _done_or_failed(lambda: _ordinary().restore_state(state))

    def cleanup(self) -> None:
        _ordinary().cleanup()


def _ordinary() -> Ordinary:
    return Ordinary(_there(), host.yield_item)


def _done_or_failed(work: Callable[[], _T]) -> _T:
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - whatever it is, the host is told
        said = guest.Failure(type(error).__name__, capped(message_of(error)))
        raise Err(said) from None


def _told(work: Callable[[Residence], str]) -> str:
    """Do something; whatever it raises is told as an error of the function's result."""
    there = _there()
    try:
        return work(there)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the host is told
        raise Err(there.failure(error)) from None
