"""What installed plugins could be updated to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from nebula_lab.errors import InstallError, NotFoundError, RegistryError
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.model.release import Release
from nebula_lab.model.requirement import VersionReq
from nebula_lab.model.version import Version
from nebula_lab.registry.choosing import newest, works_here
from nebula_lab.registry.client.address import address_of
from nebula_lab.registry.installing.folder import PluginFolder
from nebula_lab.registry.installing.install import Installation
from nebula_lab.registry.installing.planning import Plan
from nebula_lab.registry.installing.planning_updates import plan_updates
from nebula_lab.registry.installing.present import Present
from nebula_lab.registry.installing.record import Installed
from nebula_lab.registry.installing.reports import InstallReport, Update
from nebula_lab.registry.installing.sources import Sources

__all__ = ["updates", "update"]


def updates(installation: Installation, plugin_ids: Sequence[str] = ()) -> tuple[Update, ...]:
    """What there is for installed plugins; nothing is changed.

    Args:
        installation: where they are. A plugin is asked for where it came from, unless the
            installation is from one registry alone.
        plugin_ids: these alone; all that were installed without.

    Raises:
        NotFoundError: one of them was not installed.
        InstallError: what is remembered of one can't be read.
    """
    folder = PluginFolder(installation.folder)
    records = _records(folder, plugin_ids)
    if not records:
        return ()
    with _from_home(installation, records).sources() as sources:
        return tuple(_update_of(folder, record, sources) for record in records)


def update(installation: Installation, plugin_ids: Sequence[str] = ()) -> InstallReport:
    """Bring installed plugins to the newest versions that suit what was asked for; as `updates`.

    One for which there is nothing that will do, or files of which were edited, stays as it is, and
    the report says why.

    Raises:
        InstallError: they can't be; nothing was changed.
        RegistryError: none of their registries can be asked, or as `Installation.install`.
    """
    records = _records(PluginFolder(installation.folder), plugin_ids)
    if not records:
        return InstallReport()

    folder = PluginFolder(installation.folder)
    # Who is named is meant, and told as an error why it can't be.
    heeded = () if installation.replace or plugin_ids else records

    def plan(present: Mapping[str, Present], sources: Sources) -> Plan:
        edited = {one.id: folder.edited(one) for one in heeded}
        return plan_updates(records, present, sources, installation.choosing, edited)

    return _from_home(installation, records).carry_out(plan)


def _from_home(installation: Installation, records: Sequence[Installed]) -> Installation:
    """The same, with each plugin from the registry that it came from.

    One that is not configured any more is asked as it can be without: with no secret.
    """
    if installation.is_from_one:
        return installation
    homes = {record.id: record.registry for record in records}
    known = {address_of(one) for one in installation.registries}
    others = sorted(set(homes.values()) - known)
    registries = (*installation.registries, *(Registry(url=url) for url in others))
    return replace(installation, registries=registries, homes=homes)


def _records(folder: PluginFolder, plugin_ids: Sequence[str]) -> list[Installed]:
    installed = folder.installed()
    for plugin_id in plugin_ids:
        if plugin_id not in installed:
            raise NotFoundError(
                plugin_id,
                known=installed,
                hint=f"It was not installed into {folder.root} from a registry.",
            )
    return [installed[plugin_id] for plugin_id in plugin_ids or sorted(installed)]


def _update_of(folder: PluginFolder, record: Installed, sources: Sources) -> Update:
    edited = tuple(folder.edited(record))
    try:
        releases = sources.releases(record.id)
    except (RegistryError, InstallError) as error:
        return Update(
            record.id, record.version, record.version, edited=edited, problem=error.message
        )
    if not releases:
        has = (
            "no version of it that can be used here"
            if sources.unusable(record.id)
            else ("no such plugin any more")
        )
        said = f"{sources.places} has {has}"
        return Update(record.id, record.version, record.version, edited=edited, problem=said)
    return _compared(record, releases, edited)


def _compared(record: Installed, releases: Sequence[Release], edited: tuple[str, ...]) -> Update:
    requirement = VersionReq.parse(record.requirement)
    here = next((one for one in releases if str(one.version) == record.version), None)
    usable = [one for one in releases if one.yanked is None and works_here(one)]
    suitable = [one for one in usable if requirement.matches(one.version)]
    best = max(suitable, key=lambda one: one.version, default=None)
    beyond = newest(usable)
    reached = Version.parse(record.version) if best is None else best.version
    return Update(
        record.id,
        record.version,
        record.version if best is None else str(best.version),
        None if beyond is None or beyond.version <= reached else str(beyond.version),
        None if here is None else here.yanked,
        edited,
    )
