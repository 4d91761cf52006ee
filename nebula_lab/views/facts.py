"""One thing, fact by fact."""

from __future__ import annotations

from collections.abc import Iterable

from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped, escaped_prose, line, prose
from nebula_lab.views.table import SPACED, mark
from nebula_lab.views.tone import SIGNS, Tone


def fact_list(
    caption: str, facts: Iterable[tuple[str, object]], tone: Tone | None = None, sign: str = ""
) -> Rendered:
    """A heading and a row for each fact; those that say nothing are left out.

    Args:
        caption: what it is.
        facts: names and values, which may have several lines.
        tone: how it stands, where that can be said.
        sign: what says so in the text; without, the sign of the tone.
    """
    shown = [(name, value) for name, value in facts if value not in ("", None, ())]
    head = line(caption)
    text = [f"{sign or SIGNS[tone]} {head}" if tone else head]
    text += [
        f"  {name}: {prose(value).replace(chr(10), chr(10) + '    ')}" for name, value in shown
    ]
    rows = "".join(
        f'<tr><th scope="row" style="{SPACED};text-align:left;vertical-align:top">'
        f"{escaped(name)}</th>"
        f'<td style="{SPACED};text-align:left;white-space:pre-wrap;overflow-wrap:anywhere">'
        f"{escaped_prose(value)}</td></tr>"
        for name, value in shown
    )
    html = (
        '<table><caption style="text-align:left;font-weight:600">'
        f"{mark(tone) if tone else ''}{escaped(caption)}</caption><tbody>{rows}</tbody></table>"
    )
    return Rendered("\n".join(text), html)


def indented(text: str) -> str:
    """A text of several lines, to stand behind a name."""
    return text.replace("\n", "\n    ")
