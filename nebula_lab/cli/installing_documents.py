"""Installing as JSON for programs. The keys are public: add, never rename."""

from __future__ import annotations

from typing import Any

from nebula_lab.registry.installing.reports import (
    InstallReport,
    SearchReport,
    UninstallReport,
    Update,
)


def install_document(report: InstallReport) -> dict[str, Any]:
    """What `install` and `update` did."""
    return {
        "installed": [
            {
                "id": one.id,
                "version": one.version,
                "before": one.before,
                "kept": None if one.kept is None else str(one.kept),
                "rights": list(one.rights),
                "more_rights": list(one.more_rights),
            }
            for one in report.arrivals
        ],
        "unchanged": [{"id": name, "version": version} for name, version in report.unchanged],
        "notes": list(report.notes),
    }


def uninstall_document(report: UninstallReport) -> dict[str, Any]:
    """What `uninstall` did."""
    return {
        "uninstalled": [
            {
                "id": one.id,
                "version": one.version,
                "registry": one.registry,
                "kept": None if one.kept is None else str(one.kept),
            }
            for one in report.removals
        ],
        "undo": list(report.undo),
        "notes": list(report.notes),
    }


def update_document(update: Update) -> dict[str, Any]:
    """What `update --check` found for one plugin."""
    return {
        "id": update.id,
        "version": update.version,
        "newest": update.newest,
        "is_due": update.is_due,
        "beyond": update.beyond,
        "yanked": update.yanked,
        "edited": list(update.edited),
        "problem": update.problem or None,
    }


def search_document(report: SearchReport) -> dict[str, Any]:
    """What `search` found."""
    return {
        "found": [
            {
                "id": one.id,
                "version": one.version,
                "name": one.name,
                "description": one.description,
                "tags": list(one.tags),
                "registry": one.registry,
            }
            for one in report.found
        ],
        "notes": list(report.notes),
    }
