"""A table of the Python environments that are kept for plugins."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from nebula_lab.environments.upkeep import KeptEnvironment
from nebula_lab.views.quantities import moment, size
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.table import Cell, Column, Table
from nebula_lab.views.tone import Tone

_COLUMNS = (
    Column("environment"),
    Column("Python"),
    Column("packages"),
    Column("size", right=True),
    Column("used last"),
)
_KEY = 12  # characters that tell them apart
# What every environment has, and so tells nothing.
_SHOWN = 4


def environment_list(found: Sequence[KeptEnvironment]) -> Rendered:
    """A row for each."""
    return Table(
        caption="Environments of plugins",
        columns=_COLUMNS,
        rows=[
            (
                one.key[:_KEY],
                one.python or Cell("unreadable", Tone.BAD),
                _packages(one.chosen),
                size(one.size),
                Cell("now", Tone.GOOD) if one.is_in_use else moment(_when(one.used_at)),
            )
            for one in found
        ],
        empty="No environments are kept; one is built for the first plugin that asks for one.",
    ).rendered()


def _when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _packages(packages: Sequence[str]) -> str:
    more = len(packages) - _SHOWN
    return ", ".join(packages[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
