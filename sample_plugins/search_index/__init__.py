"""A full-text index ranked by BM25 (Robertson and Zaragoza, 2009), in a package of two files."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from nebula_lab.plugin import Bounds, Plugin, operation

from .tokens import tokenize

PLUGIN_API_VERSION = 1
SATURATION, LENGTH_WEIGHT = 1.2, 0.75  # k1 and b of BM25, at their usual values
Count = Annotated[int, Bounds(ge=1, le=1000)]


@dataclass(frozen=True)
class Hit:
    """A text that was found; the higher the score, the better it fits."""

    id: str
    score: float
    text: str


class SearchIndex(Plugin):
    """Finds texts by their words, the best first."""

    def initialize(self, config: dict[str, Any]) -> None:
        self._texts: dict[str, str] = {}
        self._lengths: dict[str, int] = {}
        self._postings: defaultdict[str, dict[str, int]] = defaultdict(dict)

    @operation(idempotent=True)
    def add(self, texts: dict[str, str]) -> int:
        """Index texts by id, in place of those that have the same ids; how many there are now."""
        for done, (text_id, text) in enumerate(texts.items(), 1):
            self._forget(text_id)
            words = tokenize(text)
            self._texts[text_id] = text
            self._lengths[text_id] = len(words)
            for word, count in Counter(words).items():
                self._postings[word][text_id] = count
            self.context.progress(done, len(texts), text_id)
        return len(self._texts)

    @operation(idempotent=True)
    def delete(self, ids: list[str]) -> int:
        """Forget texts; how many are left."""
        for text_id in ids:
            self._forget(text_id)
        return len(self._texts)

    @operation(idempotent=True)
    def search(self, query: str, limit: Count = 10) -> Iterator[Hit]:
        """Give the texts that have any of the words, one by one, the best first."""
        scores: Counter[str] = Counter()
        mean_length = sum(self._lengths.values()) / max(1, len(self._lengths))
        for word in set(tokenize(query)):
            found = self._postings.get(word, {})
            rarity = math.log(1 + (len(self._texts) - len(found) + 0.5) / (len(found) + 0.5))
            for text_id, count in found.items():
                length = 1 - LENGTH_WEIGHT + LENGTH_WEIGHT * self._lengths[text_id] / mean_length
                weight = count * (SATURATION + 1) / (count + SATURATION * length)
                scores[text_id] += rarity * weight
        ranked = sorted(scores.items(), key=lambda item: (-item[1], item[0]))
        for text_id, score in ranked[:limit]:
            yield Hit(text_id, round(score, 4), self._texts[text_id])

    @operation(idempotent=True)
    def suggest(self, prefix: str, limit: Count = 5) -> list[str]:
        """The words that begin like this, those of the most texts first."""
        begin = tokenize(prefix)[-1:] or [""]
        words = [word for word in self._postings if word.startswith(begin[0])]
        return sorted(words, key=lambda word: (-len(self._postings[word]), word))[:limit]

    def save_state(self) -> dict[str, Any]:
        # The texts and not the index: after a reload with a better tokenizer it is a better index.
        return {"texts": self._texts}

    def restore_state(self, state: dict[str, Any]) -> None:
        self.add(state["texts"])

    def _forget(self, text_id: str) -> None:
        text = self._texts.pop(text_id, "")
        for word in set(tokenize(text)):
            del self._postings[word][text_id]
            if not self._postings[word]:
                del self._postings[word]
        self._lengths.pop(text_id, None)


def plugin_entry() -> SearchIndex:
    return SearchIndex()
