"""A table of the Python environments that are kept for plugins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from nebula_lab.environments.upkeep import KeptEnvironment, Removed
from nebula_lab.views.quantities import counted, moment, size
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.table import Cell, Column, Table
from nebula_lab.views.tone import Tone

_COLUMNS = (
    Column("environment"),
    Column("plugins"),
    Column("Python"),
    Column("packages", right=True),
    Column("with"),
    Column("size", right=True),
    Column("used last"),
)
_KEY = 12  # characters that tell them apart
_SHOWN = 4


def environment_list(found: Sequence[KeptEnvironment]) -> Rendered:
    """A row for each."""
    return Table(
        caption="Environments of plugins",
        columns=_COLUMNS,
        rows=[
            (
                one.key[:_KEY],
                ", ".join(one.plugins) or "–",
                one.python or Cell("unreadable", Tone.BAD),
                len(one.packages),
                _packages(one.chosen),
                size(one.size),
                Cell("now", Tone.GOOD) if one.is_in_use else moment(_when(one.used_at)),
            )
            for one in found
        ],
        empty="No environments are kept; one is built for the first plugin that asks for one.",
    ).rendered()


def environment_details(one: KeptEnvironment) -> Rendered:
    """One of them, and a row for each of its packages."""
    pairs = (package.partition("==") for package in one.packages)
    chosen = set(one.chosen)
    used = "in use now" if one.is_in_use else f"used last {moment(_when(one.used_at))}"
    return Table(
        caption=f"Environment {one.key[:_KEY]} of {', '.join(one.plugins) or 'no plugin'}: Python "
        f"{one.python or 'unreadable'}, {size(one.size)}, {used}",
        columns=(Column("package"), Column("version"), Column("for")),
        rows=[
            (name, version, "the plugin" if f"{name}=={version}" in chosen else "its host")
            for name, _, version in pairs
        ],
        empty=f"Environment {one.key[:_KEY]} has no packages.",
    ).rendered()


def removed_in_words(removed: Removed) -> str:
    """Such as `2 environments removed, 310 MB`; and which were kept, for whom."""
    said = f"{counted(removed.environments, 'environment')} removed, {size(removed.size)}"
    if not removed.wanted:
        return said
    kept = [
        f"  {key[:_KEY]} for {user.plugin_id} ({user.path})"
        for key, users in removed.wanted.items()
        for user in users
    ]
    head = f"{counted(len(removed.wanted), 'environment')} kept that plugins still ask for:"
    return "\n".join([said, head, *kept, "--all removes these too; they are built when needed."])


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _packages(packages: Sequence[str]) -> str:
    more = len(packages) - _SHOWN
    return ", ".join(packages[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
