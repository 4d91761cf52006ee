"""Where a plugin's signature stands."""

from __future__ import annotations

from collections.abc import Mapping

from nebula_lab.trust.report import SignatureReport, SignatureStatus
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.safe_text import escaped, escaped_prose, line, prose
from nebula_lab.views.table import mark
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
    facts = _facts(report)
    head = f"{line(report.plugin_id)}: {report.status.value}"
    text = [f"{'✓' if report.is_good else '✗'} {head}"]
    text += [
        f"  {name}: {prose(value).replace(chr(10), chr(10) + '    ')}" for name, value in facts
    ]
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left">{escaped(name)}</th>'
        f'<td style="text-align:left;white-space:pre-wrap">{escaped_prose(value)}</td></tr>'
        for name, value in facts
    )
    html = (
        '<table><caption style="text-align:left;font-weight:600">'
        f"{mark(_TONES[report.status])}{escaped(head)}</caption><tbody>{rows}</tbody></table>"
    )
    return Rendered("\n".join(text), html)


def _facts(report: SignatureReport) -> list[tuple[str, str]]:
    facts = [
        ("what", report.message),
        ("signed by", report.signer),
        ("key", f"{report.key_kind} {report.fingerprint}".strip()),
        ("files", _files(report)),
        ("what to do", report.cure),
    ]
    return [(name, value) for name, value in facts if value]


def _files(report: SignatureReport) -> str:
    differences = report.differences
    lines = [line(difference, 1000) for difference in differences[:_SHOWN]]
    if len(differences) > _SHOWN:
        lines.append(f"and {len(differences) - _SHOWN:,} more")
    return "\n".join(lines)
