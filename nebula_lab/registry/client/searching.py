"""Which plugins of an index people mean."""

from __future__ import annotations

from collections.abc import Iterable

from nebula_lab.registry.format.documents import Entry

__all__ = ["matching"]

# How good it is that a word stands there.
_IN_ID, _BEGINS_ID, _IS_ID, _IN_NAME, _IS_TAG, _IN_TEXT = 4, 6, 10, 3, 3, 1


def matching(entries: Iterable[Entry], text: str) -> tuple[Entry, ...]:
    """Those that have every word of a text somewhere, the best first; all for no text."""
    words = text.casefold().split()
    scored = [(_score(entry, words), entry) for entry in entries]
    found = [(score, entry) for score, entry in scored if score is not None]
    return tuple(entry for _, entry in sorted(found, key=lambda pair: (-pair[0], pair[1].id)))


def _score(entry: Entry, words: list[str]) -> int | None:
    scores = [_score_of(entry, word) for word in words]
    return sum(scores) if all(scores) else None


def _score_of(entry: Entry, word: str) -> int:
    plugin_id = entry.id.casefold()
    return (
        _IS_ID * (plugin_id == word)
        + _BEGINS_ID * plugin_id.startswith(word)
        + _IN_ID * (word in plugin_id)
        + _IN_NAME * (word in entry.name.casefold())
        + _IS_TAG * any(word == tag.casefold() for tag in entry.tags)
        + _IN_TEXT * (word in entry.description.casefold())
    )
