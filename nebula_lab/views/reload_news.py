"""What a reload brought besides new code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nebula_lab.views.safe_text import line

_MOST_LEFT_OUT = 8


def reload_details(changes: Iterable[str], left_out: Mapping[str, str]) -> Iterable[str]:
    """A line for each thing.

    Args:
        changes: what is different in what the plugin can do, in words.
        left_out: what of its state did not come over, by name, and why.
    """
    yield from map(line, changes)
    listed = list(left_out.items())
    for name, reason in listed[:_MOST_LEFT_OUT]:
        yield line(f"not carried over: {name} ({reason})")
    if len(listed) > _MOST_LEFT_OUT:
        yield f"not carried over: {len(listed) - _MOST_LEFT_OUT:,} more"
