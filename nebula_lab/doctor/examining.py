"""Looks at a machine and at a manager's plugins; what fails keeps nothing else from being tried."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from nebula_lab.confine.machine import Machine
from nebula_lab.doctor.containers import containers
from nebula_lab.doctor.environments import environments
from nebula_lab.doctor.examination import Examination
from nebula_lab.doctor.finding import Finding, Verdict
from nebula_lab.doctor.places import places
from nebula_lab.doctor.starting import start
from nebula_lab.doctor.versions import versions
from nebula_lab.errors import ConfigError, PluginError
from nebula_lab.manager import PluginManager
from nebula_lab.model import (
    PluginCapability,
    PluginConfig,
    PluginDescriptor,
    ResourceLimits,
    SandboxMode,
    SecurityConfig,
    Version,
)
from nebula_lab.model.listing import listed
from nebula_lab.model.policy import EffectivePolicy, effective_policy
from nebula_lab.model.rights import AllowedPath, RequestedRights
from nebula_lab.sandbox.probing import Prober

Opened = Callable[[], AbstractContextManager[PluginManager]]

_EVERYTHING = tuple(PluginCapability)
_SUBJECTS = {
    "nothing": RequestedRights(),
    "everything": RequestedRights(capabilities=_EVERYTHING),
    "named": RequestedRights(
        capabilities=_EVERYTHING,
        allowed_hosts=("example.org",),
        allowed_paths=(AllowedPath(path=Path("/srv/data")),),
    ),
}


def examine(opened: Opened, prober: Prober | None = None) -> Examination:
    """Try everything; takes a few seconds.

    Args:
        opened: gives the manager, to be used in a `with`; what it raises becomes a finding.
        prober: tries the mechanisms.
    """
    machine, mechanisms = _machine(prober or Prober())
    config, plugins = _plugins(opened, machine)
    policies: dict[str, EffectivePolicy] = {}
    started: tuple[Finding, ...] = ()
    if machine is not None:
        limits = config.security.resource_limits
        policies = {name: _policy(rights, limits, machine) for name, rights in _SUBJECTS.items()}
        started = start(config, machine)
    return Examination(
        machine,
        policies,
        (
            *mechanisms,
            *plugins,
            *started,
            *places(),
            *versions(),
            *environments(),
            *containers(config),
        ),
        is_confining=config.security.sandbox is not SandboxMode.NONE,
    )


def _machine(prober: Prober) -> tuple[Machine | None, tuple[Finding, ...]]:
    try:
        return prober.machine(), ()
    except ConfigError as error:
        finding = Finding(
            "mechanisms",
            Verdict.GAP,
            error.message,
            "If that does not say what to do, report it as a fault of nebula_lab.",
        )
        return None, (finding,)


def _policy(rights: RequestedRights, limits: ResourceLimits, machine: Machine) -> EffectivePolicy:
    descriptor = PluginDescriptor(
        id="doctor", version=Version.parse("0.0.0"), path=Path("/"), security=rights
    )
    security = SecurityConfig(capabilities=_EVERYTHING, resource_limits=limits)
    return effective_policy(descriptor, PluginConfig(security=security), machine)


# The configuration and its plugins


def _plugins(opened: Opened, machine: Machine | None) -> tuple[PluginConfig, tuple[Finding, ...]]:
    try:
        with opened() as manager:
            found = [manager.descriptor(plugin_id) for plugin_id in manager]
            config = manager.config
    except PluginError as error:
        where = f" ({error.path}{f':{error.line}' if error.line else ''})" if error.path else ""
        finding = Finding(
            "configuration", Verdict.GAP, f"{error.message}{where}", error.hint or "Correct it."
        )
        return PluginConfig(), (finding,)
    return config, (_configuration(config), _count(found, config, machine))


def _configuration(config: PluginConfig) -> Finding:
    security = config.security
    detail = f"sandbox {security.sandbox.value}, strict: {str(security.strict).lower()}"
    if security.sandbox is SandboxMode.NONE:
        cure = "Choose sandbox: Process to have plugins confined."
        return Finding("configuration", Verdict.NOTE, detail, cure)
    if not security.strict:
        cure = "With strict: true a plugin that could not be held to its rights is not run."
        return Finding("configuration", Verdict.NOTE, detail, cure)
    return Finding("configuration", Verdict.FINE, detail)


def _count(found: list[PluginDescriptor], config: PluginConfig, machine: Machine | None) -> Finding:
    detail = f"{len(found) or 'no'} plugin{'' if len(found) == 1 else 's'}"
    if machine is None:
        return Finding("plugins", Verdict.FINE, detail)
    lacking = [one.id for one in found if effective_policy(one, config, machine).gaps]
    if not lacking:
        return Finding("plugins", Verdict.FINE, detail)
    return Finding(
        "plugins",
        Verdict.GAP if config.security.strict else Verdict.NOTE,
        f"{detail}, of which {listed(lacking)} can't be held to all that is asked",
        "doctor ID says what and why.",
    )
