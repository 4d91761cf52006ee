"""An error as a short box: what happened, where, what to do, and the plugin's own traceback."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from nebula_lab.errors import PluginCrashedError, PluginError, remote_tracebacks
from nebula_lab.reports.exit_report import ExitReport
from nebula_lab.reports.stacks import HostStacks
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped, escaped_prose, line, prose
from nebula_lab.views.tone import Tone

_SUMMARY_LIMIT = 4_000
_BRIEF = 500
_LOOKED_AT = 20_000  # characters of a traceback, at its end
_FRAME = re.compile(
    r'^ *File "([^"\n]{1,4000})", line ([0-9]{1,9})(?:, in .*)?\n(.*)', re.MULTILINE
)
_BOX_STYLE = (
    f"border-left:4px solid {Tone.BAD.value};padding:0.5em 1em;"
    "background:var(--jp-layout-color1, transparent);color:var(--jp-content-font-color1, inherit)"
)
# Themes give preformatted text a ground of its own, which makes no sense within a box.
_PRE = (
    '<pre style="white-space:pre-wrap;overflow-wrap:anywhere;margin:0.3em 0;padding:0;border:0;'
    'background:none;color:inherit">'
)


class Detail(Struct, frozen=True):
    """A longer text behind a heading, such as a traceback."""

    heading: str
    text: str


def error_box(error: PluginError, *, called_from: str = "", notes: Iterable[str] = ()) -> Rendered:
    """The error for people, without a frame of ours.

    Args:
        notes: sentences to stand below it, with those that the error has itself.
        called_from: where the user's code asked for it, such as `Cell In[3], line 2`, perhaps
            with the source line below it.
    """
    summary = prose(error.headline(), _SUMMARY_LIMIT)
    said = [prose(note, _SUMMARY_LIMIT) for note in (*getattr(error, "__notes__", ()), *notes)]
    details = [*_details(error), *_call_site(called_from)]
    return Rendered(_text(error, summary, said, details), _html(error, summary, said, details))


def error_brief(error: PluginError) -> str:
    """What happened, and in which line of the plugin, for where the box stands above it."""
    lines = [line(error.headline().partition("\n")[0], _BRIEF)]
    tracebacks = remote_tracebacks(error)
    frames = _FRAME.findall(tracebacks[-1][1][-_LOOKED_AT:]) if tracebacks else ()
    if frames:
        file, number, source = frames[-1]
        lines.append(f"  {line(Path(file).name)}:{number}: {line(source.strip())}")
    return "\n".join(lines)


def _details(error: PluginError) -> Iterable[Detail]:
    tracebacks = remote_tracebacks(error)
    for name, traceback in tracebacks:
        where = f", in {name}" if len(tracebacks) > 1 else ""
        yield Detail(f"The plugin's own traceback{where}", traceback)
    if explanation := getattr(error, "explanation", ""):
        yield Detail("In the words of whoever chose and installed its packages", explanation)
    stacks: HostStacks | None = getattr(error, "stacks", None)
    if stacks is not None and stacks.beside:
        yield Detail("Beside that", stacks.beside)
    if error.diff:
        yield Detail("How the new code differs from what served before it", error.diff)
    if isinstance(error, PluginCrashedError):
        yield from _of_a_crash(error.report)


def _of_a_crash(report: ExitReport) -> Iterable[Detail]:
    parts = {
        "It was running": report.was_running,
        "Where it was, by Python's fault handler": report.native_traceback,
        "What it had used": "" if report.usage is None else str(report.usage),
        "Its last words on stderr": "\n".join(report.own_words),
    }
    return (Detail(heading, text) for heading, text in parts.items() if text)


def _call_site(called_from: str) -> Iterable[Detail]:
    if called_from:
        yield Detail("Called from", called_from)


def _text(error: PluginError, summary: str, notes: list[str], details: list[Detail]) -> str:
    parts = [f"{type(error).__name__}: {summary}", *notes]
    for detail in details:
        indented = prose(detail.text).rstrip().replace("\n", "\n  ")
        parts.append(f"\n{detail.heading}:\n  {indented}")
    return "\n".join(parts)


def _html(error: PluginError, summary: str, notes: list[str], details: list[Detail]) -> str:
    paragraphs = "".join(f"<p>{escaped_prose(note)}</p>" for note in notes)
    folded = "".join(
        f"<details><summary>{escaped(detail.heading)}</summary>"
        f"{_PRE}{escaped_prose(detail.text)}</pre></details>"
        for detail in details
    )
    return (
        f'<div role="alert" style="{_BOX_STYLE}"><strong>{escaped(type(error).__name__)}</strong>'
        f"{_PRE}{escaped_prose(summary)}</pre>{paragraphs}{folded}</div>"
    )
