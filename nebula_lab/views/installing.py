"""What registries have, what could be updated, and what came of installing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nebula_lab.registry.installing.reports import (
    Arrival,
    Found,
    InstallReport,
    SearchReport,
    UninstallReport,
    Update,
)
from nebula_lab.views.bullets import bullets, paragraph, stacked
from nebula_lab.views.quantities import counted
from nebula_lab.views.rendered import Rendered
from nebula_lab.views.table import Cell, Column, Table
from nebula_lab.views.tone import Tone

__all__ = ["install_view", "search_view", "uninstall_view", "update_list"]

_FOUND = (Column("id"), Column("newest"), Column("what it does"), Column("tags"), Column("from"))
_UPDATES = (Column("id"), Column("installed"), Column("newest"), Column(""))


def search_view(report: SearchReport) -> Rendered:
    """One row a plugin."""
    table = Table(
        caption=counted(len(report.found), "plugin"),
        columns=_FOUND,
        rows=[_found(one) for one in report.found],
        empty="No plugin was found.",
    )
    return stacked([table.rendered(), _notes(report.notes)])


def _found(one: Found) -> tuple[object, ...]:
    version = Cell("withdrawn", Tone.DOUBTFUL) if one.version is None else one.version
    return one.id, version, one.description or one.name, ", ".join(one.tags), one.registry


def update_list(updates: Sequence[Update]) -> Rendered:
    """One row a plugin that was installed."""
    due = sum(one.is_due for one in updates)
    return Table(
        caption=f"{counted(due, 'update')} for {counted(len(updates), 'installed plugin')}",
        columns=_UPDATES,
        rows=[
            (
                one.id,
                one.version,
                Cell(one.newest, Tone.GOOD) if one.is_due else one.newest,
                _said_of(one),
            )
            for one in updates
        ],
        empty="No plugin was installed from a registry.",
    ).rendered()


def _said_of(one: Update) -> Cell:
    if one.problem:
        return Cell(one.problem, Tone.BAD)
    said = []
    if one.yanked is not None:
        said.append(f"{one.version} was withdrawn" + (f": {one.yanked}" if one.yanked else ""))
    if one.beyond is not None:
        said.append(f"{one.beyond} is beyond what was asked for")
    if one.edited:
        said.append(f"edited here: {', '.join(one.edited)}")
    return Cell("; ".join(said), Tone.DOUBTFUL if one.yanked is not None or one.edited else None)


def install_view(report: InstallReport) -> Rendered:
    """A sentence for each plugin."""
    sentences = [_arrived(one) for one in report.arrivals]
    sentences += [f"{name} {version} is installed already." for name, version in report.unchanged]
    sentences += [] if sentences else ["There is nothing to install."]
    return stacked([*map(paragraph, ["\n".join(sentences)]), _notes(report.notes)])


def _arrived(one: Arrival) -> str:
    if one.before is None:
        said = [f"Installed {one.id} {one.version}."]
    elif one.before == one.version:
        said = [f"Installed {one.id} {one.version} anew."]
    else:
        said = [f"Updated {one.id} from {one.before} to {one.version}."]
    if one.before is None and one.rights:
        said.append(f"Its rights: {', '.join(one.rights)}.")
    elif one.more_rights:
        said.append(f"It has rights that it had not before: {', '.join(one.more_rights)}.")
    if one.kept is not None:
        said.append(f"What was edited is in {one.kept}.")
    return " ".join(said)


def uninstall_view(report: UninstallReport, install: str) -> Rendered:
    """A sentence for each plugin, and how to have them back.

    Args:
        report: what is gone.
        install: the words that install something, where this is shown.
    """
    sentences = [_removed(one.id, one.version, one.kept) for one in report.removals]
    them = "it" if len(sentences) == 1 else "them"
    commands = [f"{install} {one}" for one in report.undo]
    return stacked(
        [
            paragraph("\n".join(sentences)),
            paragraph("\n".join([f"To have {them} back:", *commands])),
            _notes(report.notes),
        ]
    )


def _removed(plugin_id: str, version: str, kept: Path | None) -> str:
    said = f"Uninstalled {plugin_id} {version}."
    return said if kept is None else f"{said} What was edited is in {kept}."


def _notes(notes: Sequence[str]) -> Rendered:
    return bullets((Tone.DOUBTFUL, note, "") for note in notes)
