"""How a plugin is, also when it can't say so itself."""

from __future__ import annotations

from typing import Any

from nebula_lab.errors import PluginError
from nebula_lab.model import PluginState
from nebula_lab.plugin import HealthState, HealthStatus
from nebula_lab.runtime.hosting import Hosting
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.output import OutputSink
from nebula_lab.runtime.record import PluginRecord

_MESSAGE_LENGTH = 10_000


def ask_health(
    record: PluginRecord, hosting: Hosting, sink: OutputSink, timeout: float
) -> HealthStatus:
    """Ask a plugin's `health_check`, within so many seconds."""
    if record.state is PluginState.FAILED:
        return HealthStatus.unhealthy(record.failure.message if record.failure else "it failed")
    if not record.is_up:
        return HealthStatus.degraded(f"not running: it is {record.state.value}")
    invocation = Invocation(record.id, "health_check", timeout, sink)
    try:
        host = record.slots.acquire(invocation)
    except TimeoutError:
        return HealthStatus.degraded(f"busy: it did not answer within {timeout:g} s")
    except PluginError as error:
        return HealthStatus.unhealthy(error.message)
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
