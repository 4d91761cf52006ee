"""Whether a plugin's process comes up here, confined, and whether it is forked; tried twice."""

from __future__ import annotations

import contextlib
import os
import time
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from nebula_lab.confine.machine import Machine
from nebula_lab.doctor.finding import Finding, Verdict
from nebula_lab.errors import LoadFailedError, PluginError
from nebula_lab.model import PluginConfig, PluginDescriptor, SandboxMode, Version, ZygoteConfig
from nebula_lab.model.listing import listed
from nebula_lab.model.policy import EffectivePolicy, effective_policy
from nebula_lab.sandbox.base import Host, HostSpec
from nebula_lab.sandbox.process import ProcessSandbox
from nebula_lab.sandbox.run_folder import RunFolder
from nebula_lab.transport.loop import LoopThread

_PATIENCE = 60.0  # seconds, on a machine under heavy load
_BETWEEN_LOOKS = 0.01
_REPORT = "If that does not say what to do, report it as a fault of nebula_lab."
_SUBJECT = PluginDescriptor(id="doctor", version=Version.parse("0.0.0"), path=Path("/"))


def start(config: PluginConfig, machine: Machine) -> tuple[Finding, ...]:
    """Start two hosts for a plugin that asks for nothing, one after the other.

    Args:
        config: limits, and whether hosts are forked.
        machine: what can be enforced.
    """
    try:
        with ExitStack() as stack:
            run_folder, loop = RunFolder(), LoopThread()
            stack.callback(loop.close)
            stack.callback(run_folder.remove)
            sandbox = ProcessSandbox(loop, run_folder, _as_process(config), lambda: False)
            stack.callback(sandbox.close)
            policy = effective_policy(_SUBJECT, _as_process(config), machine)
            first = _start_one(sandbox, policy, machine, 1)
            second = _start_one(sandbox, policy, machine, 2)
            return (_hosts(first, second), _forking(config, second, sandbox.launcher.trouble))
    except (PluginError, OSError) as error:
        return (_failure(error),)


class _Started(Struct, frozen=True):
    """How a host came up."""

    seconds: float
    is_forked: bool
    lacks: str


def _as_process(config: PluginConfig) -> PluginConfig:
    # What is preloaded would still be imported when the second is to be forked.
    zygote = ZygoteConfig(enabled=config.zygote.enabled, preload=(), spares=0)
    security = config.security.model_copy(update={"sandbox": SandboxMode.PROCESS})
    return config.model_copy(update={"zygote": zygote, "security": security})


def _start_one(
    sandbox: ProcessSandbox, policy: EffectivePolicy, machine: Machine, life: int
) -> _Started:
    began = time.monotonic()
    host = sandbox.start(HostSpec(_SUBJECT.id, life, _PATIENCE, policy))
    try:
        is_forked = _status_of(host)["PPid"] == str(sandbox.launcher.zygote_pid)
        lacks = _lacking_when_sealed(host, machine, began + _PATIENCE)
        return _Started(time.monotonic() - began, is_forked, lacks)
    finally:
        host.dispose()


def _lacking_when_sealed(host: Host, machine: Machine, deadline: float) -> str:
    """What of its confinement a host does not have, by what the kernel says of it.

    It says hello before its kernel boots, and takes the filter, which comes last, after that.
    """
    own = _status(os.getpid())
    while True:
        status = _status_of(host)
        lacks = [] if status["NoNewPrivs"] == "1" else ["no_new_privs"]
        if machine.seccomp.works and not _has_more_filters(status, own):
            lacks.append("its filter of system calls")
        if not lacks or time.monotonic() > deadline:
            return listed(lacks)
        time.sleep(_BETWEEN_LOOKS)


def _has_more_filters(status: dict[str, str], than: dict[str, str]) -> bool:
    # Linux before 5.9 counts none; in a container there may have been one before.
    if "Seccomp_filters" in status:
        return int(status["Seccomp_filters"]) > int(than["Seccomp_filters"])
    return status["Seccomp"] == "2"


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (one.partition(":") for one in lines)}


def _status_of(host: Host) -> dict[str, str]:
    """What the kernel says of a host.

    Raises:
        LoadFailedError: it has ended.
    """
    with contextlib.suppress(OSError):
        status = _status(host.pid or 0)
        if status["State"][0] not in "ZX":
            return status
    report = host.exit_report(1.0)
    raise LoadFailedError(
        f"a host ended before it was ready: {report.reason}",
        remote_traceback="\n".join(report.stderr_tail),
    )


def _hosts(first: _Started, second: _Started) -> Finding:
    name = "plugins' processes"
    if first.lacks or second.lacks:
        detail = f"come up without {first.lacks or second.lacks}"
        return Finding(name, Verdict.GAP, detail, "Report this as a fault of nebula_lab.")
    detail = f"a confined one is up in {first.seconds:.2f} s, the next in {second.seconds:.2f} s"
    return Finding(name, Verdict.FINE, detail)


def _forking(config: PluginConfig, started: _Started, trouble: str) -> Finding:
    if started.is_forked:
        return Finding("zygote", Verdict.FINE, "processes are forked from it")
    if not config.zygote.enabled:
        detail = "switched off, so that each process starts anew"
        return Finding("zygote", Verdict.NOTE, detail, "Set zygote.enabled: true to fork them.")
    return Finding(
        "zygote",
        Verdict.NOTE,
        f"does not work, so that each process starts anew: {trouble or 'it was not there'}",
        "Plugins run all the same, and load more slowly.",
    )


def _failure(error: PluginError | OSError) -> Finding:
    name = "plugins' processes"
    if not isinstance(error, PluginError):
        return Finding(name, Verdict.GAP, str(error), _REPORT)
    last_words = getattr(error, "remote_traceback", "").strip().rpartition("\n")[2]
    detail = ": ".join(filter(None, [error.message, last_words]))
    return Finding(name, Verdict.GAP, detail, error.hint or _REPORT)
