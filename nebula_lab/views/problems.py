"""What was left out when plugins were found and resolved, and why."""

from __future__ import annotations

from collections.abc import Sequence

from nebula_lab.model.problem import Problem
from nebula_lab.views.quantities import counted
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped, escaped_prose, prose
from nebula_lab.views.table import SPACED, breaking, mark
from nebula_lab.views.tone import Tone

_MARKS = {"error": "✗", "note": "·"}
_TONES = {"error": Tone.BAD, "note": Tone.DOUBTFUL}
_LEFT = f"{SPACED};text-align:left"


def problem_list(problems: Sequence[Problem]) -> Rendered:
    """Every problem with its file, line and cure; errors before notes."""
    if not problems:
        return Rendered("No problems.", "<p>No problems.</p>")
    ordered = sorted(problems, key=lambda problem: problem.severity)
    caption = problem_count(problems)
    return Rendered(_text(caption, ordered), _html(caption, ordered))


def problem_count(problems: Sequence[Problem]) -> str:
    """`2 problems and 1 note`."""
    errors = sum(problem.severity == "error" for problem in problems)
    notes = len(problems) - errors
    return counted(errors, "problem") + (f" and {counted(notes, 'note')}" if notes else "")


def _text(caption: str, problems: Sequence[Problem]) -> str:
    entries = []
    for problem in problems:
        indented = prose(problem).replace("\n", "\n  ")
        entries.append(f"{_MARKS[problem.severity]} {indented}")
    return "\n".join([caption, *entries])


def _html(caption: str, problems: Sequence[Problem]) -> str:
    head = "".join(
        f'<th scope="col" style="{_LEFT}">{heading}</th>'
        for heading in ("", "plugin", "what", "where", "what to do")
    )
    body = "".join(f"<tr>{_html_row(problem)}</tr>" for problem in problems)
    return (
        f'<table><caption style="text-align:left;font-weight:600">{escaped(caption)}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _html_row(problem: Problem) -> str:
    what = "\n".join([problem.message, *map(str, problem.declarations)])
    plugin_id = problem.plugin_id or ""
    cells = (
        escaped_prose(what),
        escaped(problem.location or "", 1000),
        escaped_prose(problem.cure),
    )
    return (
        f'<td style="{_LEFT};white-space:nowrap">{mark(_TONES[problem.severity])}'
        f"{problem.severity}</td>"
        f'<th scope="row" style="{_LEFT}{breaking(plugin_id)}">{escaped(plugin_id)}</th>'
        + "".join(
            f'<td style="{_LEFT};white-space:pre-wrap{breaking(cell)}">{cell}</td>'
            for cell in cells
        )
    )
