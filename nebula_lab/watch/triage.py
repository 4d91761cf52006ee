"""Finds out for each event whom it concerns, and keeps it until the change has come to rest."""

from __future__ import annotations

import os
from collections.abc import Iterable

from nebula_lab.watch.checkouts import Checkouts
from nebula_lab.watch.events import FolderEvent, Kind
from nebula_lab.watch.names import is_passing, may_describe
from nebula_lab.watch.plan import DISCOVERY, Plan
from nebula_lab.watch.settling import Settling

__all__ = ["Triage"]


class Triage:
    """The changes that go on.

    Attributes:
        plan: whom which name concerns.
        is_outdated: whether names have come or gone, so that the plan is to be drawn anew.
        settling: what goes on, by the id of the plugin or DISCOVERY.
    """

    def __init__(self) -> None:
        self.plan = Plan()
        self.is_outdated = True
        self.settling: dict[str, Settling] = {}
        # Files of loaded plugins that have come or gone, and whether they were there before.
        self._moving: dict[str, bool] = {}
        self._checkouts = Checkouts()

    def sort(self, event: FolderEvent) -> None:
        """Take an event in."""
        if event.kind is Kind.OVERFLOW:
            self.is_outdated = True
            self.touch(self.plan.all_keys(), event)
        elif event.kind is Kind.LOST:
            self.is_outdated = True
            self.touch(self.plan.keys_below(event.folder), event)
        elif event.name and not is_passing(event.name):
            self._sort_name(event)

    def _sort_name(self, event: FolderEvent) -> None:
        if event.name in self.plan.leading.get(event.folder, ()):
            self.is_outdated = True
            self.touch(self.plan.keys_below(event.path), event)
        interests = self.plan.folders.get(event.folder)
        if interests is None:
            return
        is_new = event.name not in self.plan.present[event.folder]
        if is_new or event.kind is Kind.WENT:
            self.is_outdated = True
        keys = {one.key for one in interests if one.concerns(event.name, is_new=is_new)}
        if DISCOVERY in keys:
            keys.discard(DISCOVERY)
            # The text of a plugin that is loaded is that plugin's affair alone.
            news = is_new or event.kind is Kind.WENT or not keys
            if news and may_describe(event.name):
                self.touch([DISCOVERY], event)
                if keys:
                    self._moving.setdefault(event.path, not is_new)
        self.touch(keys, event)

    def touch(self, keys: Iterable[str], event: FolderEvent) -> None:
        """Let an event be one of the changes of these."""
        for key in keys:
            settling = self.settling.get(key)
            if settling is None:
                settling = self.settling[key] = Settling(event.at)
            settling.add(event)

    def ended(self, now: float) -> dict[str, Settling]:
        """The changes that have come to rest; they are not kept any longer."""
        found = {}
        for key, one in list(self.settling.items()):
            if one.due <= now:
                if one.is_several and self._checkouts.goes_on_for(one.paths):
                    one.put_off(now)
                else:
                    found[key] = self.settling.pop(key)
        return found

    def resume(self, key: str, former: Settling) -> bool:
        """Go on with a change that was taken to have ended, if there have been events since."""
        later = self.settling.get(key)
        return later is not None and later.follow(former)

    def brings_news(self, search: Settling) -> bool:
        """Whether there may be another set of plugins; not, where a save went by another name."""
        were_there = [(path, self._moving.pop(path, None)) for path in search.paths]
        return any(there is None or os.path.lexists(path) != there for path, there in were_there)
