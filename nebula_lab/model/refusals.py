"""What a plugin asks for in vain, and what would have to change for it to get that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from msgspec import Struct

from nebula_lab.model.capability import PluginCapability
from nebula_lab.model.config import PluginConfig
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.granted_rights import GrantedPath, Rights, requested_paths, rights_of
from nebula_lab.model.listing import listed
from nebula_lab.model.problem import Problem, ProblemKind
from nebula_lab.model.sandbox_choice import mode_for
from nebula_lab.model.sandbox_mode import STRENGTH, SandboxMode

__all__ = ["Refusal", "refusals", "refusal_notes"]


class Refusal(Struct, frozen=True):
    """Rights of one kind that a plugin asks for and does not get.

    Attributes:
        kind: the key of `[security]` that asks: "capabilities", "allowed_paths" and so on.
        items: what it asks for there in vain.
        message: that in words, to be read after the plugin's id.
        cure: what to change.
    """

    kind: str
    items: tuple[str, ...]
    message: str
    cure: str


def refusals(descriptor: PluginDescriptor, config: PluginConfig) -> tuple[Refusal, ...]:
    """What a plugin asks for in vain; rights are none of it in sandbox None."""
    weaker = _weaker_sandbox(descriptor, config)
    if mode_for(descriptor, config.security) is SandboxMode.NONE:
        return weaker
    rights = rights_of(descriptor, config.security)
    return (*weaker, *(refusal for find in _FINDERS for refusal in find(descriptor, rights)))


def refusal_notes(descriptor: PluginDescriptor, config: PluginConfig) -> Iterator[Problem]:
    """The same as notes, with the file and line that ask."""
    for refusal in refusals(descriptor, config):
        yield Problem(
            kind=ProblemKind.REFUSED_RIGHT,
            message=refusal.message,
            plugin_id=descriptor.id,
            location=descriptor.rights_declared_in or descriptor.declared_in,
            cure=refusal.cure,
            severity="note",
        )


def _weaker_sandbox(descriptor: PluginDescriptor, config: PluginConfig) -> tuple[Refusal, ...]:
    asked, given = descriptor.security.sandbox, mode_for(descriptor, config.security)
    if asked is None or STRENGTH[asked] >= STRENGTH[given]:
        return ()
    return (
        Refusal(
            "sandbox",
            (asked.value,),
            f"asks for sandbox {asked.value}, which isolates less than {given.value}, and runs in "
            f"{given.value} all the same",
            "Take sandbox out of the plugin's [security]: it can only ask for a stronger one.",
        ),
    )


def _capabilities(descriptor: PluginDescriptor, rights: Rights) -> Iterator[Refusal]:
    if rights.refused:
        yield _not_allowed("capabilities", [one.value for one in rights.refused])


def _paths(descriptor: PluginDescriptor, rights: Rights) -> Iterator[Refusal]:
    if not rights.has(PluginCapability.FILE_SYSTEM) or rights.paths is None:
        return
    asked = requested_paths(descriptor)
    outside = [one for one in asked if not _covers(rights.paths, one)]
    if outside:
        yield _not_allowed("allowed_paths", [f"{one.path}:{one.mode}" for one in outside])


def _covers(granted: Iterable[GrantedPath], asked: GrantedPath) -> bool:
    return any(
        asked.path.is_relative_to(one.path) and (one.mode == "rw" or asked.mode == "ro")
        for one in granted
    )


def _hosts(descriptor: PluginDescriptor, rights: Rights) -> Iterator[Refusal]:
    if not rights.has(PluginCapability.NETWORK) or rights.hosts is None:
        return
    outside = [one for one in descriptor.security.allowed_hosts if one not in rights.hosts]
    if outside:
        yield _not_allowed("allowed_hosts", outside)


def _variables(descriptor: PluginDescriptor, rights: Rights) -> Iterator[Refusal]:
    known = rights.variables or ()
    outside = [one for one in descriptor.security.allowed_variables if one not in known]
    if outside:
        yield _not_allowed("allowed_variables", outside)


def _not_allowed(kind: str, items: list[str]) -> Refusal:
    them = "them" if items[1:] else "it"
    return Refusal(
        kind,
        tuple(items),
        f"asks for {listed(items)} in {kind}, which the configuration does not allow",
        f"Add {them} to security.{kind} of the configuration, or take {them} out of the plugin's.",
    )


def _without_capability(descriptor: PluginDescriptor, rights: Rights) -> Iterator[Refusal]:
    asked = descriptor.security
    for kind, items, capability in (
        ("allowed_paths", [str(one.path) for one in asked.allowed_paths], _FILES),
        ("allowed_hosts", asked.allowed_hosts, _NETWORK),
    ):
        if items and capability not in asked.capabilities:
            yield Refusal(
                kind,
                tuple(items),
                f"has {kind}, which say nothing without the capability {capability.value}",
                f"Add {capability.value} to the plugin's capabilities, or take out {kind}.",
            )


_FILES, _NETWORK = PluginCapability.FILE_SYSTEM, PluginCapability.NETWORK
_FINDERS: tuple[Callable[[PluginDescriptor, Rights], Iterator[Refusal]], ...] = (
    _capabilities,
    _paths,
    _hosts,
    _variables,
    _without_capability,
)
