"""The first words with a host that has been started, and what follows before its plugin comes."""

from __future__ import annotations

import logging
from functools import partial

from nebula_lab.confine.machine import Machine
from nebula_lab.errors import LoadFailedError
from nebula_lab.link.end import ChannelEndedError
from nebula_lab.sandbox.base import HostSpec
from nebula_lab.sandbox.process_host import ProcessHost

_log = logging.getLogger("nebula_lab")


def connected(host: ProcessHost, spec: HostSpec, machine: Machine) -> ProcessHost:
    """Hold a host that has been greeted to the plugin's limits, and serve its network.

    Raises:
        LoadFailedError: that can't be done; the host is gone.
    """
    plugin_id, policy = spec.plugin_id, spec.policy
    try:
        host.watch_usage(policy.limits, machine)
        host.serve_hosts(policy.rights.hosts or (), partial(_note_refusal, plugin_id))
    except (OSError, ValueError) as error:
        host.dispose()
        raise LoadFailedError(
            f"it can't be given its network, or be watched: {error}", plugin_id=plugin_id
        ) from error
    except BaseException:
        host.dispose()
        raise
    return host


def _note_refusal(plugin_id: str, host: str, port: int) -> None:
    _log.warning(
        "%s wanted to reach %s:%s, which is not in its allowed_hosts", plugin_id, host, port
    )


def greet(host: ProcessHost, spec: HostSpec) -> None:
    """Agree with a host on a protocol.

    Raises:
        LoadFailedError: it did not come up, and is gone; with what it wrote last.
    """
    try:
        host.link.greet(spec.start_timeout)
    except (TimeoutError, ChannelEndedError) as error:
        report = host.exit_report(1.0)
        host.dispose()
        raise LoadFailedError(
            f"its kernel did not come up: {report.reason or error}",
            plugin_id=spec.plugin_id,
            remote_traceback=report.words,
            report=report,
        ) from error
    except BaseException:
        host.dispose()
        raise
