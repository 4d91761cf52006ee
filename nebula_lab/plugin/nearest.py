"""The names that someone may have meant."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest_names(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known names most like `name`, best first; empty when none is close."""
    import difflib  # only a mistake needs it, and it costs more than the rest of the package

    by_lower = {candidate.lower(): candidate for candidate in reversed(list(known))}
    found = difflib.get_close_matches(name.lower(), by_lower, n=count, cutoff=0.6)
    return [by_lower[match] for match in found]
