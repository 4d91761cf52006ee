"""Finds plugins by what the index says of them."""

from __future__ import annotations

from collections.abc import Sequence

from nebula_lab.registry.format.documents import Entry

__all__ = ["search"]

_IN_ID, _IN_NAME, _IN_TAGS, _IN_DESCRIPTION = 8, 4, 2, 1
_IS_ID = 100


def search(plugins: Sequence[Entry], text: str) -> list[Entry]:
    """The plugins in whose id, name, tags or description each word of `text` is, the best first.

    Without words, all of them. Case does not count.
    """
    words = text.lower().split()
    if not words:
        return list(plugins)
    ranked = [(rank, entry) for entry in plugins if (rank := _rank(entry, words))]
    return [entry for _, entry in sorted(ranked, key=lambda one: (-one[0], one[1].id))]


def _rank(entry: Entry, words: Sequence[str]) -> int:
    """How well an entry fits; 0 where one word is nowhere in it."""
    places = (
        (_IN_ID, entry.id.lower()),
        (_IN_NAME, entry.name.lower()),
        (_IN_TAGS, "\n".join(entry.tags).lower()),
        (_IN_DESCRIPTION, entry.description.lower()),
    )
    ranks = [sum(weight for weight, text in places if word in text) for word in words]
    if not all(ranks):
        return 0
    return sum(ranks) + (_IS_ID if " ".join(words) == entry.id.lower() else 0)
