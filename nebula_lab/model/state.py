"""The life cycle of a plugin, as one table of transitions."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from nebula_lab.errors import StateTransitionError

__all__ = ["PluginState", "TRANSITIONS", "next_state", "mermaid_diagram"]


class PluginState(Enum):
    """Where a plugin is in its life."""

    DISCOVERED = "Discovered"
    LOADING = "Loading"
    LOADED = "Loaded"
    ACTIVE = "Active"
    SUSPENDED = "Suspended"
    FAILED = "Failed"
    UNLOADING = "Unloading"


def _frozen(
    table: dict[PluginState, dict[str, PluginState]],
) -> Mapping[PluginState, Mapping[str, PluginState]]:
    return MappingProxyType({state: MappingProxyType(row) for state, row in table.items()})


# Loading and unloading take time, so they are states of their own. A call makes a loaded plugin
# active, and an active one stays so. A reload swaps the host beneath the plugin and leaves its
# state alone.
TRANSITIONS: Mapping[PluginState, Mapping[str, PluginState]] = _frozen(
    {
        PluginState.DISCOVERED: {"load": PluginState.LOADING},
        PluginState.LOADING: {"loaded": PluginState.LOADED, "fail": PluginState.FAILED},
        PluginState.LOADED: {
            "call": PluginState.ACTIVE,
            "suspend": PluginState.SUSPENDED,
            "unload": PluginState.UNLOADING,
            "fail": PluginState.FAILED,
        },
        PluginState.ACTIVE: {
            "suspend": PluginState.SUSPENDED,
            "unload": PluginState.UNLOADING,
            "fail": PluginState.FAILED,
        },
        PluginState.SUSPENDED: {"load": PluginState.LOADING, "unload": PluginState.UNLOADING},
        PluginState.FAILED: {"load": PluginState.LOADING, "unload": PluginState.UNLOADING},
        PluginState.UNLOADING: {"unloaded": PluginState.DISCOVERED, "fail": PluginState.FAILED},
    }
)


def next_state(state: PluginState, event: str, *, plugin_id: str | None = None) -> PluginState:
    """The state that `event` leads to from `state`.

    Raises:
        StateTransitionError: the life cycle has no such step; the hint names those it has.
    """
    allowed = TRANSITIONS[state]
    following = allowed.get(event)
    if following is None:
        raise StateTransitionError(
            f"{event!r} is not possible while the plugin is {state.value}",
            plugin_id=plugin_id,
            hint=f"From {state.value}, what can happen is: {', '.join(allowed)}.",
        )
    return following


def mermaid_diagram() -> str:
    """The table as a Mermaid `stateDiagram-v2`, one line for each transition."""
    steps = [
        f"    {state.value} --> {following.value} : {event}"
        for state, row in TRANSITIONS.items()
        for event, following in row.items()
    ]
    return "\n".join(["stateDiagram-v2", f"    [*] --> {PluginState.DISCOVERED.value}", *steps])
