"""How a plugin is, also when it can't say so itself."""

from __future__ import annotations

from typing import Any

from nebula_lab.errors import PluginError
from nebula_lab.model import PluginState
from nebula_lab.plugin import HealthState, HealthStatus
from nebula_lab.runtime.hosting import Hosting
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import OutputSink, QuietSink
from nebula_lab.runtime.record import PluginRecord
from nebula_lab.sandbox.base import Host

_MESSAGE_LENGTH = 10_000


def ask_health(
    record: PluginRecord, hosting: Hosting, sink: OutputSink, timeout: float
) -> HealthStatus:
    """Ask a plugin's `health_check`, within so many seconds."""
    if (status := _without_asking(record)) is not None:
        return status
    invocation = Invocation(record.id, "health_check", timeout, sink)
    try:
        host = record.slots.acquire(invocation)
    except TimeoutError:
        return HealthStatus.degraded(f"busy: it did not answer within {timeout:g} s")
    except PluginError as error:
        return HealthStatus.unhealthy(error.message)
    return _answer(record, hosting, host, invocation)


def ask_if_idle(record: PluginRecord, hosting: Hosting, timeout: float) -> HealthStatus | None:
    """The same, and None where no place is free at once."""
    if (status := _without_asking(record)) is not None:
        return status
    invocation = Invocation(record.id, "health_check", timeout, QuietSink())
    try:
        host = record.slots.take(invocation)
    except PluginError as error:
        return HealthStatus.unhealthy(error.message)
    return None if host is None else _answer(record, hosting, host, invocation)


def _without_asking(record: PluginRecord) -> HealthStatus | None:
    if record.state is PluginState.FAILED:
        return HealthStatus.unhealthy(record.failure.message if record.failure else "it failed")
    if not record.is_up:
        return HealthStatus.degraded(f"not running: it is {record.state.value}")
    return None


def _answer(
    record: PluginRecord, hosting: Hosting, host: Host, invocation: Invocation
) -> HealthStatus:
    """What a host says; the place that the call holds is given back."""
    try:
        return _with_replicas(record, read_status(hosting.ask(host, "health", None, invocation)))
    except PluginError as error:
        return HealthStatus.unhealthy(error.message)
    finally:
        record.slots.release(invocation)


def _with_replicas(record: PluginRecord, status: HealthStatus) -> HealthStatus:
    """A plugin that has lost replicas serves, but with less than it asked for."""
    there, wanted = len(record.slots.hosts), record.descriptor.runtime.replicas
    if status.is_healthy and there < wanted:
        return HealthStatus.degraded(f"{there} of {wanted} replicas are there")
    return status


def read_status(answer: Any) -> HealthStatus:
    """What a host says of its plugin's health; it comes out of a sandbox."""
    try:
        return HealthStatus(HealthState(answer["state"]), str(answer["message"])[:_MESSAGE_LENGTH])
    except (KeyError, TypeError, ValueError):
        return HealthStatus.unhealthy("its host said something else than a health status")
