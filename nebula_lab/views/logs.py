"""What a plugin printed and logged."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from nebula_lab.runtime.log_ring import LogLine
from nebula_lab.views.quantities import moment
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped
from nebula_lab.views.safe_text import line as one_line
from nebula_lab.views.table import Column, Table

LINE_LIMIT = 1_000


def log_view(plugin_id: str, lines: Sequence[LogLine]) -> Rendered:
    """One line each, oldest first, with its time and where it was written."""
    if not lines:
        empty = f"{plugin_id} has written nothing yet."
        return Rendered(one_line(empty), f"<p>{escaped(empty)}</p>")
    text = "\n".join(
        f"{moment(one.at)}  {_origin(one):8}  {one_line(one.text, LINE_LIMIT)}" for one in lines
    )
    table = Table(
        caption=f"The last lines of {plugin_id}",
        columns=(Column("at"), Column("where"), Column("line")),
        rows=[(moment(one.at), _origin(one), one.text) for one in lines],
        empty="",
    )
    return Rendered(text, table.rendered().html)


def _origin(one: LogLine) -> str:
    return logging.getLevelName(one.level) if one.stream == "log" else one.stream
