"""What came of installing, and what could be installed."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

__all__ = [
    "Arrival",
    "Found",
    "InstallReport",
    "Removal",
    "SearchReport",
    "UninstallReport",
    "Update",
]


class Arrival(Struct, frozen=True):
    """One plugin that is new in a folder, or another than before.

    Attributes:
        id: the plugin.
        version: the one that is there now.
        before: the one that was there before; None for a plugin that is new.
        kept: where the files are that somebody had edited and that were replaced.
        rights: a word for each right that it will have and that can do harm.
        more_rights: those of them that the version before had not.
    """

    id: str
    version: str
    before: str | None = None
    kept: Path | None = None
    rights: tuple[str, ...] = ()
    more_rights: tuple[str, ...] = ()


class InstallReport(Struct, frozen=True):
    """What came of installing.

    Attributes:
        arrivals: what is new or another now, sorted by id.
        unchanged: ids and versions of what was there as it was asked for.
        notes: what else there is to say, such as that a registry did not answer.
    """

    arrivals: tuple[Arrival, ...] = ()
    unchanged: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


class Removal(Struct, frozen=True):
    """One plugin that is gone from a folder.

    Attributes:
        id: the plugin.
        version: the one that was there.
        registry: where it had come from.
        kept: where the files are that somebody had edited.
    """

    id: str
    version: str
    registry: str
    kept: Path | None = None


class UninstallReport(Struct, frozen=True):
    """What came of uninstalling.

    Attributes:
        removals: what is gone, sorted by id.
        notes: what else there is to say.
    """

    removals: tuple[Removal, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def undo(self) -> tuple[str, ...]:
        """What `install` is to be given to have it all back, once for each registry."""
        words: dict[str, list[str]] = {}
        for one in self.removals:
            words.setdefault(one.registry, []).append(f"{one.id}@{one.version}")
        return tuple(f"{' '.join(ids)} --registry {url}" for url, ids in words.items())


class Found(Struct, frozen=True):
    """One plugin that a registry has.

    Attributes:
        id: the plugin.
        version: the newest; None where all were withdrawn.
        name: what people call it.
        description: what it does, shortened.
        tags: what it is about.
        registry: where it is to be had.
    """

    id: str
    version: str | None
    name: str
    description: str
    tags: tuple[str, ...]
    registry: str


class SearchReport(Struct, frozen=True):
    """What was found in registries.

    Attributes:
        found: the best first, of each registry.
        notes: what else there is to say, such as that a registry did not answer.
    """

    found: tuple[Found, ...] = ()
    notes: tuple[str, ...] = ()


class Update(Struct, frozen=True):
    """What an installed plugin could be.

    Attributes:
        id: the plugin.
        version: the one that is there.
        newest: the newest that suits what was asked for; the same where there is no newer one.
        beyond: the newest of all, where that does not suit what was asked for; else None.
        yanked: why the one that is there was withdrawn, perhaps empty; None if it was not.
        edited: its files that somebody has edited.
        problem: why it can't be said what there is; empty if it can.
    """

    id: str
    version: str
    newest: str
    beyond: str | None = None
    yanked: str | None = None
    edited: tuple[str, ...] = ()
    problem: str = ""

    @property
    def is_due(self) -> bool:
        """Whether there is something to update to."""
        return self.newest != self.version
