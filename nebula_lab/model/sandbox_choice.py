"""Which sandbox a plugin gets: the strongest of the usual one, its own, and what it asks for."""

from __future__ import annotations

from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.sandbox_mode import (
    STRENGTH,
    AnySandbox,
    Container,
    SandboxMode,
    Wasm,
    mode_of,
)
from nebula_lab.model.security import SecurityConfig

__all__ = ["containers_of", "fuel_for", "mode_for", "sandbox_for_plugin"]


def sandbox_for_plugin(descriptor: PluginDescriptor, security: SecurityConfig) -> AnySandbox:
    """Where a plugin runs. It never isolates less than `security.sandbox` does.

    A WebAssembly component brings its Wasm with it: what is said here is what is around that.
    """
    chosen = _strongest(descriptor, security)
    is_wasm = mode_of(chosen) is SandboxMode.WASM
    return SandboxMode.PROCESS if is_wasm and descriptor.is_component else chosen


def _strongest(descriptor: PluginDescriptor, security: SecurityConfig) -> AnySandbox:
    chosen = security.sandboxes.get(descriptor.id, security.sandbox)
    asked = descriptor.security.sandbox
    if asked is None or STRENGTH[asked] <= STRENGTH[mode_of(chosen)]:
        return chosen
    return containers_of(security) if asked is SandboxMode.CONTAINER else asked


def mode_for(descriptor: PluginDescriptor, security: SecurityConfig) -> SandboxMode:
    """The same, without how a container is run."""
    return mode_of(sandbox_for_plugin(descriptor, security))


def fuel_for(descriptor: PluginDescriptor, security: SecurityConfig) -> int | None:
    """How many instructions a call of a plugin may take; None is as many as it likes."""
    chosen = _strongest(descriptor, security)
    return chosen.fuel if isinstance(chosen, Wasm) else None


def containers_of(security: SecurityConfig) -> Container:
    """How containers are run for plugins that ask for one."""
    if isinstance(security.sandbox, Container):
        return security.sandbox
    return security.container or Container(runtime="podman")
