"""What people see of a signature."""

from __future__ import annotations

from pathlib import Path

from nebula_lab.trust.report import Difference, SignatureReport, SignatureStatus
from nebula_lab.views import signature_report

EVIL = "<script>\x1b[31m\u202e"


def report(**options):
    facts = {
        "status": SignatureStatus.MODIFIED,
        "plugin_id": "tool",
        "path": Path("tool.sums"),
        "message": "it has been changed",
        "cure": "sign it again",
    }
    return SignatureReport(**{**facts, **options})


def test_a_report_shows_what_is_wrong_and_what_to_do():
    shown = signature_report(report(differences=(Difference("a.py", "added"),)))
    assert shown.text.split("\n") == [
        "✗ tool: modified",
        "  what: it has been changed",
        "  files: a.py (added)",
        "  what to do: sign it again",
    ]
    assert "a.py (added)" in shown.html


def test_whatever_strangers_wrote_is_escaped():
    differences = (Difference(EVIL, "added"),)
    shown = signature_report(report(message=EVIL, signer=EVIL, differences=differences))
    assert not {"\x1b", "\u202e"} & set(shown.text + shown.html)
    assert "<script>" not in shown.html


def test_of_many_files_the_first_are_shown():
    differences = tuple(Difference(f"f{number}", "added") for number in range(2_000))
    assert "and 1,980 more" in signature_report(report(differences=differences)).text
