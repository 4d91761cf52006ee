"""What one call displays, and what of it the call may still change.

Each display gets a name of ours, which no plugin can guess or choose: so an update reaches what
this very call displayed, and nothing of another's or of the notebook's own. Jupyter clears a whole
cell or nothing; a plugin clears what its call displayed, each display by itself, and what it shows
next takes the places that are free. The user's own output, and text, stay.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from nebula_lab.plugin.safe_text import line
from nebula_lab.runtime.display_bundle import SafeBundle, display_id, safe_bundle

# What a cell may hold of one call at once: a browser keeps an element for each.
MOST_PLACES = 1_000
MOST_NAMES = 10_000
MOST_SHOWN = 50_000_000  # characters in all places together, since a notebook's file keeps them
_MOST_NOTES = 20

Step = tuple[str, dict[str, Any]]


class CallDisplays:
    """Turns what a call sends to be displayed into what a sink shows.

    Args:
        plugin_id: the plugin.
        rich: it may display what a browser runs.
    """

    def __init__(self, plugin_id: str, rich: bool) -> None:
        self._rich = rich
        self._prefix = f"nebula_lab/{plugin_id}/{uuid.uuid4().hex}"
        self._made = 0
        self._taken: list[str] = []
        self._free: deque[str] = deque()
        self._names: dict[str, str] = {}
        self._clear_is_due = False
        self._told: set[str] = set()
        self._sizes: dict[str, int] = {}
        self._is_full = False

    def take(self, action: str, bundle: Any) -> Iterable[Step]:
        """What a sink is to do: `display` or `update`, with a bundle that has a display id."""
        act = _ACTIONS.get(action)
        return () if act is None else act(self, bundle)

    def before_text(self) -> Iterable[Step]:
        """What a sink is to do ahead of text: a clearing that waits for the next output is due."""
        return self._clear_now() if self._clear_is_due else ()

    def _display(self, bundle: Any) -> list[Step]:
        safe = self._safe(bundle)
        if safe is None:
            return []
        steps = self._clear_now(but=1) if self._clear_is_due else []
        name = display_id(bundle)
        if self._free:
            place, action = self._free.popleft(), "update"
        elif self._made < MOST_PLACES:
            self._made += 1
            place, action = f"{self._prefix}/{self._made}", "display"
        else:
            return [*steps, *self._full()]
        self._taken.append(place)
        if name is not None and len(self._names) < MOST_NAMES:
            self._names[name] = place
        return [*steps, *self._show(action, place, safe)]

    def _update(self, bundle: Any) -> list[Step]:
        place = self._names.get(display_id(bundle) or "")
        safe = None if place is None else self._safe(bundle)
        if place is None or safe is None:
            return []
        return self._show("update", place, safe)

    def _show(self, action: str, place: str, safe: SafeBundle) -> list[Step]:
        before, size = self._sizes.get(place, 0), safe.size
        if sum(self._sizes.values()) - before + size > MOST_SHOWN:
            return self._full()
        self._sizes[place] = size
        return [_step(action, place, safe.data, safe.metadata)]

    def _clear(self, bundle: Any) -> list[Step]:
        if isinstance(bundle, Mapping) and bundle.get("wait") is True:
            self._clear_is_due = True
            return []
        return self._clear_now()

    def _clear_now(self, but: int = 0) -> list[Step]:
        """Show nothing in any place, except in the first so many, which are used at once."""
        self._clear_is_due = False
        blank = self._taken[but:]
        self._free.extendleft(reversed(self._taken))
        self._taken = []
        self._names = {}
        for place in blank:
            self._sizes[place] = 0
        return [_step("update", place, {"text/plain": ""}, {}) for place in blank]

    def _safe(self, bundle: Any) -> SafeBundle | None:
        """What may be shown, with a note on the rest; None if that is nothing."""
        safe = safe_bundle(bundle, rich=self._rich)
        notes = self._notes(safe.left_out)
        if notes:
            plain = safe.data.get("text/plain")
            safe.data["text/plain"] = "\n".join([*([plain] if plain else []), *notes])
        return safe if safe.data else None

    def _notes(self, left_out: Mapping[str, str]) -> list[str]:
        notes = []
        for mime, reason in left_out.items():
            if mime not in self._told and len(self._told) < _MOST_NOTES:
                self._told.add(mime)
                notes.append(f"({line(mime)} left out: {reason})")
        return notes

    def _full(self) -> list[Step]:
        if self._is_full:
            return []
        self._is_full = True
        text = f"… further displays left out (a call may show {MOST_PLACES:,}, or 50 MB)"
        return [_step("display", f"{self._prefix}/end", {"text/plain": text}, {})]


def _step(action: str, place: str, data: dict[str, Any], metadata: dict[str, Any]) -> Step:
    return action, {"data": data, "metadata": metadata, "transient": {"display_id": place}}


_ACTIONS: Mapping[str, Callable[[CallDisplays, Any], list[Step]]] = {
    "display": CallDisplays._display,
    "update": CallDisplays._update,
    "clear": CallDisplays._clear,
}
