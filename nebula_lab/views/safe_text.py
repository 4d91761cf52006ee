"""Text from a plugin, made harmless to show: `nebula_lab.plugin.safe_text`, and as HTML."""

from __future__ import annotations

import html

from nebula_lab.plugin.safe_text import LINE_LIMIT, PROSE_LIMIT, line, prose, stream_text

__all__ = ["LINE_LIMIT", "PROSE_LIMIT", "escaped", "escaped_prose", "line", "prose", "stream_text"]


def escaped(text: object, limit: int = LINE_LIMIT) -> str:
    """One clean line as HTML text, fit for attributes too."""
    return html.escape(line(text, limit))


def escaped_prose(text: object, limit: int = PROSE_LIMIT) -> str:
    """Several clean lines as HTML text."""
    return html.escape(prose(text, limit))
