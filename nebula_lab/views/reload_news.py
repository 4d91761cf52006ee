"""What became of a plugin whose files were saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nebula_lab.model.events import PluginReloaded, ReloadFailed
from nebula_lab.views.error_box import error_box
from nebula_lab.views.quantities import duration
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped, line

_MOST_LEFT_OUT = 8


def reload_line(event: PluginReloaded) -> str:
    """Such as `counter 1.0.0 → 1.1.0 is live (62.10 ms).`, and what is different, a line each."""
    version = f"{event.version}"
    if event.former != event.version:
        version = f"{event.former} → {event.version}"
    first = f"{event.plugin_id} {version} is live ({duration(event.duration)})."
    return "\n".join([first, *(f"  {one}" for one in reload_details(event))])


def reload_details(event: PluginReloaded) -> Iterable[str]:
    """What is different in what it can do, and what of its state did not come over."""
    yield from map(line, event.changes)
    yield from left_out_lines(event.left_out)


def left_out_lines(left_out: Mapping[str, str]) -> Iterable[str]:
    """A line for each part of a state that did not come over; the first of them only."""
    listed = list(left_out.items())
    for name, reason in listed[:_MOST_LEFT_OUT]:
        yield line(f"not carried over: {name} ({reason})")
    if len(listed) > _MOST_LEFT_OUT:
        yield f"not carried over: {len(listed) - _MOST_LEFT_OUT:,} more"


def failure_banner(event: ReloadFailed) -> Rendered:
    """Why new code did not come up, and what serves instead."""
    serves = "The old version goes on serving" if event.goes_on else "Nothing serves in its place"
    banner = (
        f"{event.plugin_id} was saved and did not come up. {serves}; the next save tries again."
    )
    box = error_box(event.error)
    return Rendered(
        f"{line(banner, 400)}\n{box.text}",
        f'<div role="status" style="font-weight:600">{escaped(line(banner, 400))}</div>{box.html}',
    )
