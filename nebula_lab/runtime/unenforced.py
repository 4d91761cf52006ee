"""What a configuration asks for and this version does not do, said and not passed over."""

from __future__ import annotations

from nebula_lab.model import PluginConfig, SandboxMode


def unenforced(config: PluginConfig) -> tuple[str, ...]:
    """One sentence for each thing; those on security are waived by choosing sandbox None."""
    found = []
    if config.security.sandbox is not SandboxMode.NONE:
        found.append(
            "Not enforced in this version: capabilities and resource limits. A plugin runs in a "
            "process of its own, with deadlines, but may do there what you may do."
        )
        if config.security.verify_signature:
            found.append("Not enforced in this version: verify_signature. Any plugin is loaded.")
    if config.hot_reload and "hot_reload" in config.model_fields_set:
        found.append("Not in this version: hot_reload. Files are not watched; call reload_plugin.")
    return tuple(found)
