"""Finds calls between plugins that would wait for each other for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from nebula_lab.errors import CallCycleError
from nebula_lab.runtime.invocation import Invocation
from nebula_lab.runtime.slots import Slots


class WaitGraph:
    """Which nested call waits for which plugin.

    A plugin can move on if it has a free place, or if some call that holds one can. A call can if
    all that its plugin's own calls wait for can. When a nested call is about to wait for a plugin
    that can't, nothing would ever end.

    Args:
        slots_of: the slots of a plugin.
    """

    def __init__(self, slots_of: Callable[[str], Slots]) -> None:
        self._slots_of = slots_of
        self._waiting: dict[Invocation, str] = {}
        self._lock = threading.Lock()

    def enter(self, invocation: Invocation) -> None:
        """Note that a nested call waits.

        Raises:
            CallCycleError: it would wait for itself, by way of calls on other threads.
        """
        with self._lock:
            self._waiting[invocation] = invocation.plugin_id
            if self._can_move_on(invocation.plugin_id, set()):
                return
            del self._waiting[invocation]
            chain = [*invocation.chain(), *self._way_back(invocation)]
        raise CallCycleError(
            plugin_id=invocation.plugin_id, operation=invocation.operation, chain=chain
        )

    def leave(self, invocation: Invocation) -> None:
        """Note that it waits no more."""
        with self._lock:
            self._waiting.pop(invocation, None)

    def needed_by(self, plugin_ids: Collection[str]) -> list[Invocation]:
        """The nested calls that wait for some plugins, and that their own calls wait for."""
        found: list[Invocation] = []
        with self._lock:
            reached, ahead = set(plugin_ids), list(plugin_ids) if self._waiting else []
            while ahead:
                holders = set(self._slots_of(ahead.pop()).users())
                for call, awaited in self._waiting.items():
                    if holders.isdisjoint(call.ancestors()):
                        continue
                    if awaited in plugin_ids:
                        found.append(call)
                    elif awaited not in reached:
                        reached.add(awaited)
                        ahead.append(awaited)
        return found

    def _can_move_on(self, plugin_id: str, seen: set[str]) -> bool:
        if plugin_id in seen:
            return False
        slots = self._slots_of(plugin_id)
        if slots.has_free() or not slots.hosts:
            return True  # without a host, one is being started
        return any(
            all(self._can_move_on(awaited, seen | {plugin_id}) for awaited in self._awaited(holder))
            for holder in slots.users()
        )

    def _awaited(self, holder: Invocation) -> list[str]:
        """The plugins that the calls made on behalf of `holder` wait for."""
        return [
            plugin_id for call, plugin_id in self._waiting.items() if holder in call.ancestors()
        ]

    def _way_back(self, invocation: Invocation) -> list[str]:
        """The calls of other threads through which the waiting comes back."""
        for holder in self._slots_of(invocation.plugin_id).users():
            for awaited in self._awaited(holder)[:1]:
                return [f"{holder.label} (on another thread)", awaited]
        return []
