"""Says which limit or which missing right may be why a plugin failed, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from nebula_lab.model import PluginCapability, SandboxMode
from nebula_lab.model.policy import MEMORY_ALLOWANCE, EffectivePolicy, size_in_words


class Breach(Struct, frozen=True):
    """A limit that a plugin ran into.

    Attributes:
        limit: the setting.
        value: what it is, in words.
        said: what happened, as a part of a sentence.
        cure: what to do.
    """

    limit: str
    value: str
    said: str
    cure: str


def breach_of(obstacle: str, policy: EffectivePolicy) -> Breach | None:
    """The limit behind an obstacle, if it is one and there is a limit."""
    find = _LIMITS.get(obstacle)
    return None if find is None or policy.sandbox is SandboxMode.NONE else find(policy)


def _memory(policy: EffectivePolicy) -> Breach:
    value = size_in_words(policy.limits.memory)
    if not policy.rights.has(PluginCapability.MEMORY_ALLOCATION):
        allowance = size_in_words(MEMORY_ALLOWANCE)
        cure = (
            f"Without the capability MemoryAllocation it has {allowance} at most: "
            f"{_how_to_get(PluginCapability.MEMORY_ALLOCATION, policy)}"
        )
    else:
        cure = "Raise security.resource_limits.max_memory and memory_limit."
    return Breach("max_memory", value, f"it may use {value} of memory: max_memory", cure)


def _handles(policy: EffectivePolicy) -> Breach:
    value = str(policy.limits.files)
    said = f"it may have {value} open files and sockets: max_file_handles"
    cure = "Close those that are done with, or raise security.resource_limits.max_file_handles."
    return Breach("max_file_handles", value, said, cure)


def _threads(policy: EffectivePolicy) -> Breach:
    value = str(policy.limits.threads)
    said = f"it may have {value} threads and processes: max_threads"
    cure = "Start fewer, or raise security.resource_limits.max_threads."
    return Breach("max_threads", value, said, cure)


def _scratch(policy: EffectivePolicy) -> Breach | None:
    if policy.rights.sees_all_files:
        return None  # it may as well be the disk
    value = size_in_words(policy.limits.scratch)
    said = f"it may keep {value} in its scratch folder: max_scratch"
    cure = "Remove what is done with, or raise security.resource_limits.max_scratch."
    return Breach("max_scratch", value, said, cure)


def _fuel(policy: EffectivePolicy) -> Breach | None:
    if policy.limits.fuel is None:
        return None
    value = f"{policy.limits.fuel:,}"
    said = f"a call may take {value} instructions of WebAssembly: fuel"
    cure = "Raise the fuel of sandbox Wasm in security.sandbox, or do less in one call."
    return Breach("fuel", value, said, cure)


_LIMITS: dict[str, Callable[[EffectivePolicy], Breach | None]] = {
    "memory": _memory,
    "handles": _handles,
    "threads": _threads,
    "scratch": _scratch,
    "fuel": _fuel,
}

# Which rights a plugin may lack where it met such an obstacle.
_RIGHTS = {
    "permission": (
        PluginCapability.NETWORK,
        PluginCapability.FILE_SYSTEM,
        PluginCapability.PROCESS_SPAWN,
        PluginCapability.SYSTEM_CALLS,
    ),
    "file": (PluginCapability.FILE_SYSTEM,),
    "network": (PluginCapability.NETWORK,),
}


def lack_of(obstacle: str, policy: EffectivePolicy) -> str | None:
    """What to do where a plugin may have failed for want of a right; None where it lacks none."""
    if policy.sandbox is SandboxMode.NONE:
        return None
    missing = [one for one in _RIGHTS.get(obstacle, ()) if not policy.rights.has(one)]
    found = []
    if missing:
        names = ", ".join(one.value for one in missing)
        found.append(f"It runs confined, without {names}.")
        found += [_how_to_get(one, policy) for one in missing if len(missing) == 1]
        if len(missing) > 1:
            found.append(
                "If it needs one of them, its manifest has to ask for it under [security] "
                "capabilities, and security.capabilities of the configuration to allow it."
            )
    found += _narrowed(obstacle, policy)
    return " ".join(found) or None


def _narrowed(obstacle: str, policy: EffectivePolicy) -> list[str]:
    """What it has a right to, but not to all of it."""
    rights, found = policy.rights, []
    has_paths = rights.has(PluginCapability.FILE_SYSTEM) and rights.paths is not None
    if has_paths and obstacle in ("file", "permission"):
        paths = ", ".join(f"{one.path} ({one.mode})" for one in rights.paths or ()) or "none"
        found.append(f"Of other files it may use those in its allowed_paths: {paths}.")
    has_hosts = rights.has(PluginCapability.NETWORK) and rights.hosts is not None
    if has_hosts and obstacle in ("network", "permission"):
        hosts = ", ".join(rights.hosts or ()) or "none"
        found.append(f"It reaches its allowed_hosts by a proxy only: {hosts}.")
    return found


def _how_to_get(capability: PluginCapability, policy: EffectivePolicy) -> str:
    if capability in policy.rights.refused:
        return f"add {capability.value} to security.capabilities of the configuration."
    return (
        f'ask for it in its manifest ([security] capabilities = ["{capability.value}"]), and allow '
        "it in security.capabilities of the configuration."
    )
