"""The table of health checks."""

from __future__ import annotations

from collections.abc import Mapping

from nebula_lab.plugin.errors import PluginError
from nebula_lab.plugin.health import HealthStatus
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped_prose
from nebula_lab.views.table import Cell, Column, Table, mark
from nebula_lab.views.tone import HEALTH_TONES, SIGNS, Tone


def health_table(checks: Mapping[str, HealthStatus | PluginError]) -> Rendered:
    """One row a plugin: what its health check said, or why it said nothing."""
    return Table(
        caption="Health",
        columns=(Column("id"), Column("health"), Column("message")),
        rows=[(plugin_id, *_answer(answer)) for plugin_id, answer in checks.items()],
        empty="No plugin is loaded, so none has a health to ask for.",
    ).rendered()


def health_view(status: HealthStatus) -> Rendered:
    """One answer by itself."""
    tone = HEALTH_TONES[status.state]
    text = f"{SIGNS[tone]} {status}"  # cleaned by its own `str`
    return Rendered(text, f"<p>{mark(tone)}{escaped_prose(status)}</p>")


def _answer(answer: HealthStatus | PluginError) -> tuple[Cell, str]:
    if isinstance(answer, PluginError):
        return Cell("no answer", Tone.BAD), answer.message
    return Cell(answer.state.value, HEALTH_TONES[answer.state]), answer.message
