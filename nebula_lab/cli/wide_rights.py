"""Rights that a plugin is granted and that leave little to be enforced."""

from __future__ import annotations

from collections.abc import Iterable

from nebula_lab.model import PluginCapability, PluginConfig, PluginDescriptor, Problem, SandboxMode
from nebula_lab.model.granted_rights import Rights, rights_of
from nebula_lab.model.problem import ProblemKind
from nebula_lab.model.sandbox_choice import mode_for


def wide_rights(descriptors: Iterable[PluginDescriptor], config: PluginConfig) -> list[Problem]:
    """A note on each; none in sandbox None, where that is no news."""
    return [
        Problem(
            kind=ProblemKind.WIDE_RIGHT,
            message=message,
            plugin_id=descriptor.id,
            location=descriptor.rights_declared_in or descriptor.declared_in,
            cure=cure,
            severity="note",
        )
        for descriptor in descriptors
        if mode_for(descriptor, config.security) is not SandboxMode.NONE
        for message, cure in _wide(rights_of(descriptor, config.security))
    ]


def _wide(rights: Rights) -> list[tuple[str, str]]:
    found = []
    if rights.sees_all_files:
        found.append(
            (
                "may read and write all files that you may, by FileSystem without allowed_paths",
                "Name those that it needs in its allowed_paths, or those that plugins may use in "
                "security.allowed_paths of the configuration.",
            )
        )
    if rights.has(PluginCapability.SYSTEM_CALLS):
        found.append(
            (
                "may make unusual system calls, by SystemCalls, and so reaches more of the kernel",
                "Take it out of its capabilities, unless it does not work without.",
            )
        )
    return found
