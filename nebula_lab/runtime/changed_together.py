"""Finds the plugins that have to change at the same time, because each asks for the other's change.

A base that becomes 2.0 and its dependent that asks for `^2` from then on refuse each other one by
one, in any order, although both are on disk and fit.
"""

from __future__ import annotations

from collections.abc import Iterator

from nebula_lab.errors import PluginError
from nebula_lab.model import PluginDescriptor
from nebula_lab.model.listing import listed
from nebula_lab.runtime.catalogue import Catalogue, said_by
from nebula_lab.runtime.record import PluginRecord

__all__ = ["Change", "read_together"]

Change = tuple[PluginRecord, PluginDescriptor]


def read_together(catalogue: Catalogue, record: PluginRecord) -> tuple[Change, ...]:
    """A plugin as its files are now, and after it the fewest others without which it does not fit.

    Raises:
        PluginError: it can't be read, or does not fit, whatever else there is on disk.
    """
    change = (record, catalogue.read_again(record))
    _note_read(change)
    try:
        catalogue.require_fit(change)
    except PluginError as refusal:
        others = list(_changed_near(catalogue, *change))
        if not others:
            raise
        if not _fit(catalogue, [change, *others]):
            _name_them(refusal, others)
            raise
        for one in list(others):
            fewer = [other for other in others if other is not one]
            if _fit(catalogue, [change, *fewer]):
                others = fewer
        _note_read(*others)
        return change, *others
    return (change,)


def _note_read(*changes: Change) -> None:
    for record, descriptor in changes:
        record.as_read = descriptor.model_copy()  # which holds no files in the store


def _fit(catalogue: Catalogue, changes: list[Change]) -> bool:
    try:
        catalogue.require_fit(*changes)
    except PluginError:
        return False
    return True


def _changed_near(
    catalogue: Catalogue, record: PluginRecord, descriptor: PluginDescriptor
) -> Iterator[Change]:
    """Those that describe themselves otherwise on disk, by way of those that do so too."""
    seen = {record.id}
    pending = [record.descriptor, descriptor]
    while pending:
        for other in _neighbours(catalogue, pending.pop()):
            if other.id in seen:
                continue
            seen.add(other.id)
            try:
                found = catalogue.read_again(other)
            except PluginError:
                continue  # it is told of its own save
            if _is_to_change(other, found):
                pending += [other.descriptor, found]
                yield other, found


def _neighbours(catalogue: Catalogue, one: PluginDescriptor) -> list[PluginRecord]:
    """What a plugin needs, and what needs it."""
    needs = {dependency.plugin_id for dependency in one.dependencies}
    return [
        record
        for record in catalogue
        if record.id in needs
        or any(other.plugin_id == one.id for other in record.descriptor.dependencies)
    ]


def _is_to_change(record: PluginRecord, found: PluginDescriptor) -> bool:
    said = said_by(found)
    if record.is_recalled and said == said_by(record.as_read):
        return False  # somebody has gone back from just that
    return said != said_by(record.descriptor)


def _name_them(refusal: PluginError, others: list[Change]) -> None:
    named = listed([f"{record.id} {found.version}" for record, found in others])
    refusal.hint = (
        f"{refusal.hint or ''}\n  On disk there is {named} too, which does not put it right."
    ).strip()
