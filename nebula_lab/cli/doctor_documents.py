"""What `doctor` finds as JSON for programs. The keys are public: add, never rename."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nebula_lab.doctor.examination import Examination
from nebula_lab.model.policy import EffectivePolicy, Measure
from nebula_lab.model.refusals import Refusal


def examination_document(examination: Examination) -> dict[str, Any]:
    """The machine; `mechanisms` and `rights` are empty where they could not be tried."""
    return {
        "well": examination.is_well,
        "conclusion": examination.conclusion,
        "mechanisms": {
            name: {"works": one.works, "detail": one.detail, "cure": one.cure}
            for name, one in examination.mechanisms
        },
        "rights": {
            asks: [measure_document(one) for one in policy.measures]
            for asks, policy in examination.policies.items()
        },
        "findings": [
            {
                "name": one.name,
                "verdict": one.verdict.value,
                "detail": one.detail,
                "cure": one.cure,
            }
            for one in examination.findings
        ],
    }


def policy_document(
    policy: EffectivePolicy, refused: Sequence[Refusal], *, strict: bool
) -> dict[str, Any]:
    """One plugin; null for paths, hosts or variables stands for all."""
    rights, limits = policy.rights, policy.limits
    return {
        "plugin_id": policy.plugin_id,
        "sandbox": policy.sandbox.value,
        "runs": not (policy.gaps and strict),
        "capabilities": sorted(one.value for one in rights.capabilities),
        "allowed_paths": _listed(
            [f"{one.path}:{one.mode}" for one in rights.paths or ()], rights.paths
        ),
        "allowed_hosts": _listed(rights.hosts or (), rights.hosts),
        "allowed_variables": _listed(rights.variables or (), rights.variables),
        "limits": {
            "memory": limits.memory,
            "cpu_percent": limits.cpu_percent,
            "files": limits.files,
            "threads": limits.threads,
            "scratch": limits.scratch,
        },
        "refused": [
            {"kind": one.kind, "items": list(one.items), "message": one.message, "cure": one.cure}
            for one in refused
        ],
        "measures": [measure_document(one) for one in policy.measures],
    }


def measure_document(measure: Measure) -> dict[str, Any]:
    """One right or limit; `enforced` is "kernel", "manager", "sampling" or "none"."""
    return {
        "name": measure.name,
        "granted": measure.granted,
        "enforced": measure.how.name.lower(),
        "by": measure.by,
        "cure": measure.cure,
    }


def _listed(texts: Sequence[str], given: object) -> list[str] | None:
    return None if given is None else list(texts)
