"""What a configuration asks for and this version does not enforce."""

from __future__ import annotations

from nebula_lab.model import PluginConfig, ResourceLimits, SandboxMode, SecurityConfig


def unenforced(config: PluginConfig) -> tuple[str, ...]:
    """One sentence for each thing; none where sandbox None waives them all."""
    security, defaults = config.security, SecurityConfig()
    if security.sandbox is SandboxMode.NONE:
        return ()
    found = []
    if security.verify_signature:
        found.append("Signatures are not verified: security.verify_signature has no effect yet.")
    if security.capabilities != defaults.capabilities:
        found.append("Capabilities are not enforced: a plugin may do what you may do.")
    if security.resource_limits != ResourceLimits() or config.memory_limit != (
        PluginConfig().memory_limit
    ):
        found.append("Resource limits are not enforced, except the time-out of calls.")
    return tuple(found)
