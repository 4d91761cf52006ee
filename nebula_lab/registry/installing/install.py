"""Installs plugins of registries: all that were asked for, with what they need, or none."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from nebula_lab.discovery import FileSystemDiscoverer
from nebula_lab.model.discovery_strategy import FileSystem, Registry
from nebula_lab.model.release import Release
from nebula_lab.model.security import SecurityConfig
from nebula_lab.registry.agreement import require_as_promised
from nebula_lab.registry.client.client import Progress
from nebula_lab.registry.installing.folder import PluginFolder
from nebula_lab.registry.installing.placing import place
from nebula_lab.registry.installing.planning import Present, plan
from nebula_lab.registry.installing.record import Installed
from nebula_lab.registry.installing.reports import Arrival, InstallReport
from nebula_lab.registry.installing.sources import Sources
from nebula_lab.registry.installing.wanted import Wanted
from nebula_lab.registry.unpacking import write_files
from nebula_lab.trust.contents import CollectedPlugin

__all__ = ["Installation", "present_in"]


class Installation(Struct, frozen=True):
    """Where plugins are installed, from where, and what is asked of them.

    Attributes:
        folder: the folder of plugins; made if need be.
        registries: where they may come from; the first that has a plugin is asked for it.
        security: whose signatures they need.
        search: how plugins are looked for in the folder.
        replace: whether files that somebody has edited are put aside; without, they are a reason
            to install nothing.
        progress: is told how far downloads are.
        is_from_one: whether somebody has said from which registry, so that it does not matter
            where a plugin came from.
        homes: by id, the address of the one registry that a plugin may come from; without, any.
    """

    folder: Path
    registries: tuple[Registry, ...]
    security: SecurityConfig
    search: FileSystem = FileSystem.by_default()
    replace: bool = False
    progress: Progress = lambda *_: None
    is_from_one: bool = False
    homes: Mapping[str, str] = {}

    def sources(self) -> Sources:
        """The registries, to be closed.

        Raises:
            InstallError: there are none.
        """
        return Sources(self.registries, self.homes)

    def install(self, wanted: Sequence[Wanted]) -> InstallReport:
        """Install what is wanted, and what that needs.

        Raises:
            InstallError: it can't be; nothing was changed.
            NoVersionFitsError: there are no versions that suit each other.
            RegistryError: a registry can't be asked, or what comes from it is not as promised.
            SignatureError: it is not signed as the configuration asks.
        """
        folder = PluginFolder(self.folder)
        with self.sources() as sources:
            releases = plan(wanted, present_in(self.folder, self.search), sources.releases)
            installed = folder.installed()
            missing = [one for one in releases if not self._is_there(installed.get(one.id), one)]
            fetched = self._fetch(sources, missing)
            self._require_signed(fetched)
            arrivals = self._put(folder, sources, missing, fetched, wanted)
            notes = tuple(sources.offline())
        new = {one.id for one in arrivals}
        unchanged = [(one.id, str(one.version)) for one in releases if one.id not in new]
        return InstallReport(tuple(arrivals), tuple(unchanged), notes)

    def _is_there(self, record: Installed | None, release: Release) -> bool:
        """Whether nothing has to come: files that are missing do, edited ones if so asked."""
        if record is None or record.tree != release.digest:
            return False
        folder = PluginFolder(self.folder)
        if any(not (folder.root / path).is_file() for path in record.paths):
            return False
        return not self.replace or not folder.edited(record)

    def _fetch(self, sources: Sources, releases: Sequence[Release]) -> list[CollectedPlugin]:
        """The files of releases, in their order; those of one registry come together."""
        fetched: dict[str, CollectedPlugin] = {}
        for client in sources.clients if releases else ():
            wanted = [
                (one.id, sources.published(one)) for one in releases if one.place == client.place
            ]
            if wanted:
                found = client.fetch(wanted, self.folder, self.progress)
                fetched |= {one.plugin_id: one for one in found}
        return [fetched[release.id] for release in releases]

    def _require_signed(self, fetched: Sequence[CollectedPlugin]) -> None:
        if not self.security.verify_signature:
            return
        from nebula_lab.trust.policy import require

        for collected in fetched:
            require(collected, self.security)

    def _put(
        self,
        folder: PluginFolder,
        sources: Sources,
        releases: Sequence[Release],
        fetched: Sequence[CollectedPlugin],
        wanted: Sequence[Wanted],
    ) -> list[Arrival]:
        wishes = {one.id: str(one.requirement) for one in wanted}
        arrivals = []
        with contextlib.ExitStack() as written, folder.changing() as change:
            installed = folder.installed()
            for record in _with_wishes(installed, wishes):
                folder.put_record(change, record)
            for release, collected in zip(releases, fetched, strict=True):
                before = installed.get(release.id)
                record = _record(release, collected, wishes, before)
                files = written.enter_context(_written(folder, collected))
                require_as_promised(files, release.id, sources.published(release))
                kept = place(folder, change, record, files, installed, self.replace)
                installed[release.id] = record
                arrivals.append(
                    Arrival(
                        record.id,
                        record.version,
                        None if before is None else before.version,
                        None if kept is None else folder.root / kept,
                    )
                )
        return arrivals


def present_in(folder: Path, search: FileSystem) -> Mapping[str, Present]:
    """The plugins in a folder, by id.

    Raises:
        InstallError: what is remembered of one can't be read.
    """
    if not folder.is_dir():
        return {}
    records = PluginFolder(folder).installed()
    found = FileSystemDiscoverer(folder, search.pattern, search.recursive).discover()
    return {
        one.id: Present(
            found.release_of(one), one, record if _is_of(record, one.path, folder) else None
        )
        for one in found.descriptors
        for record in [records.get(one.id)]
    }


def _is_of(record: Installed | None, source: Path, folder: Path) -> bool:
    """Whether a record is of the plugin that was found, and not of another of its name."""
    return record is not None and source == folder.absolute() / record.source


def _record(
    release: Release,
    collected: CollectedPlugin,
    wishes: Mapping[str, str],
    before: Installed | None,
) -> Installed:
    wish = wishes.get(release.id)
    if wish is None and before is not None:
        wish = before.requirement
    return Installed(
        id=release.id,
        version=str(release.version),
        registry=release.place,
        requirement=wish or "*",
        tree=collected.files.digest,
        archive=release.archive or "",
        source=collected.files.source,
        files=collected.files.files,
    )


def _with_wishes(
    installed: Mapping[str, Installed], wishes: Mapping[str, str]
) -> Iterator[Installed]:
    """The records of what is there already and is asked for in other words now."""
    for plugin_id, requirement in wishes.items():
        record = installed.get(plugin_id)
        if record is not None and record.requirement != requirement:
            yield replace(record, requirement=requirement)


@contextlib.contextmanager
def _written(folder: PluginFolder, collected: CollectedPlugin) -> Iterator[Path]:
    """A folder beside the plugins that has the files of one; gone afterwards."""
    files = folder.private / f"unpack-{secrets.token_hex(8)}"
    try:
        write_files(collected, files)
        yield files
    finally:
        shutil.rmtree(files, ignore_errors=True)
