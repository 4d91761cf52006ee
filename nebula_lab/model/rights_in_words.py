"""What a plugin is granted, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nebula_lab.model.capability import PluginCapability
from nebula_lab.model.listing import listed

if TYPE_CHECKING:
    from nebula_lab.model.granted_rights import Rights

__all__ = ["network_in_words", "files_in_words", "variables_in_words", "in_short"]

# Memory is a limit like others, and every plugin has some.
_SHORT = (
    (PluginCapability.NETWORK, "net"),
    (PluginCapability.FILE_SYSTEM, "files"),
    (PluginCapability.PROCESS_SPAWN, "processes"),
    (PluginCapability.SYSTEM_CALLS, "system calls"),
    (PluginCapability.RICH_DISPLAY, "html"),
)


def network_in_words(rights: Rights) -> str:
    """Whom a plugin may reach."""
    if not rights.has(PluginCapability.NETWORK):
        return "none"
    if rights.hosts is None:
        return "everyone"
    return ", ".join(rights.hosts) or "nobody"


def files_in_words(rights: Rights, import_folders: Sequence[str] = ()) -> str:
    """Which files it sees.

    Args:
        rights: of the plugin.
        import_folders: those that are imported from besides Python's own.
    """
    own = "its own, and Python's"
    if import_folders:
        own += f", what can be imported from {listed(list(import_folders))}"
    if not rights.has(PluginCapability.FILE_SYSTEM):
        return own
    if rights.paths is None:
        return "all that you may use, but nebula_lab's own"
    return ", ".join([own, *(f"{one.path} ({one.mode})" for one in rights.paths)])


def variables_in_words(rights: Rights) -> str:
    """Which environment variables it gets."""
    return ", ".join(["those that say nothing secret", *(rights.variables or ())])


def in_short(rights: Rights) -> tuple[str, ...]:
    """A word for each right that can do harm."""
    words = {word: rights.has(capability) for capability, word in _SHORT}
    words["net"] &= rights.hosts != ()
    words["files"] &= rights.paths != ()
    return tuple(
        "all files" if word == "files" and rights.paths is None else word
        for word, is_granted in words.items()
        if is_granted
    )
