"""Signatures as JSON for programs. The keys are public: add, never rename."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nebula_lab.trust.contents import CollectedPlugin
from nebula_lab.trust.report import SignatureReport
from nebula_lab.trust.signer import Signer
from nebula_lab.trust.sums import SignedFiles


def report_document(report: SignatureReport) -> dict[str, Any]:
    """What `verify` found."""
    return {
        "status": report.status.value,
        "plugin_id": report.plugin_id,
        "message": report.message,
        "cure": report.cure,
        "signer": report.signer or None,
        "fingerprint": report.fingerprint or None,
        "key_kind": report.key_kind or None,
        "list": str(report.path),
        "files": [{"path": one.path, "change": one.change} for one in report.differences],
    }


def signed_document(
    collected: CollectedPlugin, path: Path, signer: Signer | None
) -> dict[str, Any]:
    """What `sign` has written; without a signer, the list alone."""
    key = signer.public_key if signer is not None else None
    return {
        "plugin_id": collected.plugin_id,
        "version": collected.version,
        "list": str(path),
        "signature": f"{path}.sig" if key else None,
        "fingerprint": key.fingerprint if key else None,
        "key_kind": key.kind if key else None,
        "files": list(SignedFiles.of(collected).hashes),
    }
