"""The versions that a plugin has had."""

from __future__ import annotations

from collections.abc import Sequence

from nebula_lab.trust.history import StoredVersion
from nebula_lab.views.quantities import moment
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.table import Cell, Column, Table
from nebula_lab.views.tone import Tone

_COLUMNS = (Column("version"), Column("digest"), Column("came up"), Column(""))


def version_list(plugin_id: str, versions: Sequence[StoredVersion], served: str | None) -> Rendered:
    """One row a version, the newest first.

    Args:
        plugin_id: the plugin.
        versions: what can be gone back to.
        served: the digest of what runs.
    """
    return Table(
        caption=f"Versions of {plugin_id}",
        columns=_COLUMNS,
        rows=[
            (
                one.version,
                one.short_digest,
                moment(one.when),
                Cell("serves", Tone.GOOD) if one.digest == served else "",
            )
            for one in versions
        ],
        empty=f"No version of {plugin_id} is kept yet; one is once it has come up.",
    ).rendered()
