"""From text to the words that it is found by."""

from __future__ import annotations

import re
import unicodedata

WORD = re.compile(r"[^\W_]+")
ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|(?<!s)s)$")


def tokenize(text: str) -> list[str]:
    """The words of a text in their order, without case, accents and the commonest endings."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return [ENDING.sub("", word) for word in WORD.findall(plain)]
