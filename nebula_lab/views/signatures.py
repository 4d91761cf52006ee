"""Where a plugin's signature stands."""

from __future__ import annotations

from collections.abc import Mapping

from nebula_lab.trust.report import SignatureReport, SignatureStatus
from nebula_lab.views.facts import fact_list
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import line
from nebula_lab.views.tone import Tone

_TONES: Mapping[SignatureStatus, Tone] = {
    SignatureStatus.SIGNED: Tone.GOOD,
    SignatureStatus.UNSIGNED: Tone.DOUBTFUL,
    SignatureStatus.UNTRUSTED: Tone.DOUBTFUL,
    SignatureStatus.MODIFIED: Tone.BAD,
    SignatureStatus.INVALID: Tone.BAD,
}
_SHOWN = 20


def signature_report(report: SignatureReport) -> Rendered:
    """The status, who signed with which key, the files concerned, and what to do."""
    facts = [
        ("what", report.message),
        ("signed by", report.signer),
        ("key", f"{report.key_kind} {report.fingerprint}".strip()),
        ("files", _files(report)),
        ("what to do", report.cure),
    ]
    caption = f"{report.plugin_id}: {report.status.value}"
    return fact_list(caption, facts, _TONES[report.status], "✓" if report.is_good else "✗")


def _files(report: SignatureReport) -> str:
    differences = report.differences
    lines = [line(difference, 1000) for difference in differences[:_SHOWN]]
    if len(differences) > _SHOWN:
        lines.append(f"and {len(differences) - _SHOWN:,} more")
    return "\n".join(lines)
