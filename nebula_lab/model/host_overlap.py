"""Which hosts two lists have in common; an entry may have a port, or begin with `*.`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

__all__ = ["overlap"]

_ENTRY = re.compile(r"(?P<host>\[.*\]|[^:]*)(?::(?P<port>\d+))?")
_ANY_BELOW = "*."


def overlap(asked: Iterable[str], allowed: Iterable[str]) -> tuple[str, ...]:
    """What both lists have, as narrow as the narrower."""
    allowed = tuple(allowed)
    found = (both for one in asked for other in allowed for both in _both(one, other))
    return tuple(dict.fromkeys(found))


def _both(one: str, other: str) -> Iterator[str]:
    if one == other:
        yield one
        return
    (host, port), (other_host, other_port) = _split(one), _split(other)
    if port and other_port and port != other_port:
        return
    for narrow, wide in ((host, other_host), (other_host, host)):
        if _is_within(narrow, wide):
            which = port or other_port
            yield f"{narrow}:{which}" if which else narrow
            return


def _split(entry: str) -> tuple[str, str | None]:
    match = _ENTRY.fullmatch(entry)
    return (entry, None) if match is None else (match["host"], match["port"])


def _is_within(narrow: str, wide: str) -> bool:
    narrow, wide = narrow.lower(), wide.lower()
    return narrow == wide or (wide.startswith(_ANY_BELOW) and narrow.endswith(wide[1:]))
