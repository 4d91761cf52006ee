"""Sentences below a table, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped_prose, prose
from nebula_lab.views.table import mark
from nebula_lab.views.tone import SIGNS, Tone

# What is quiet is a reason for what stands above it.
_SIGNS = {**SIGNS, Tone.QUIET: "←"}


def bullets(items: Iterable[tuple[Tone, str, str]]) -> Rendered:
    """One entry for each: how bad it is, what it is, and the cure."""
    text, html = [], []
    for tone, what, cure in items:
        text.append(f"{_SIGNS[tone]} {prose(what)}" + (f"\n  {prose(cure)}" if cure else ""))
        html.append(f"<li>{mark(tone)}{escaped_prose(what)}<br>{escaped_prose(cure)}</li>")
    return Rendered("\n".join(text), f"<ul>{''.join(html)}</ul>" if html else "")


def paragraph(sentence: str) -> Rendered:
    """One sentence by itself."""
    return Rendered(prose(sentence), f"<p>{escaped_prose(sentence)}</p>")


def stacked(parts: Sequence[Rendered]) -> Rendered:
    """One below the other; what is empty is left out."""
    shown = [part for part in parts if part.text]
    return Rendered("\n\n".join(part.text for part in shown), "".join(part.html for part in shown))
