"""Installs plugins of registries: all that were asked for, with what they need, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from nebula_lab.model.discovery_strategy import FileSystem, Registry
from nebula_lab.model.release import Release
from nebula_lab.model.security import SecurityConfig
from nebula_lab.registry.client.client import Progress
from nebula_lab.registry.installing.folder import PluginFolder, finish_installs
from nebula_lab.registry.installing.planning import Plan, plan
from nebula_lab.registry.installing.present import Present, present_in
from nebula_lab.registry.installing.putting import Putting
from nebula_lab.registry.installing.record import Installed
from nebula_lab.registry.installing.reports import InstallReport
from nebula_lab.registry.installing.sources import Sources
from nebula_lab.registry.installing.wanted import Wanted, together

__all__ = ["Installation", "Planner"]

# From what is in the folder, and the registries, to what is to be in the folder.
Planner = Callable[[Mapping[str, Present], Sources], Plan]


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
        patience: seconds to wait for others who install into the same folder.
        choosing: seconds that choosing versions may take.
    """

    folder: Path
    registries: tuple[Registry, ...]
    security: SecurityConfig
    search: FileSystem = FileSystem.by_default()
    replace: bool = False
    progress: Progress = lambda *_: None
    is_from_one: bool = False
    homes: Mapping[str, str] = {}
    patience: float = 120.0
    choosing: float = 30.0

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
            UnfinishedInstallError: it was, and not every file is in its place yet.
            NoVersionFitsError: there are no versions that suit each other.
            ChoosingTimeoutError: choosing them took too long.
            RegistryError: a registry can't be asked, or what comes from it is not as promised.
            SignatureError: it is not signed as the configuration asks.
        """
        asked = together(wanted)

        def planned(present: Mapping[str, Present], sources: Sources) -> Plan:
            return plan(asked, present, sources, self.choosing)

        return self.carry_out(planned, {one.id: str(one.requirement) for one in asked})

    def carry_out(self, plan: Planner, wishes: Mapping[str, str] | None = None) -> InstallReport:
        """Have the folder be as a plan says, whatever others do to it meanwhile; as `install`.

        Args:
            plan: is made once to know what to download, with nobody kept waiting, and once more
                when nobody else may change the folder.
            wishes: what somebody asked for, by id, to be remembered.
        """
        folder = PluginFolder(self.folder)
        if folder.is_unfinished:
            finish_installs(self.folder)
        with self.sources() as sources:
            self._download(sources, self._todo(plan, sources).missing)
            with folder.changing(patience=self.patience, waiting=self.waiting) as change:
                todo = self._todo(plan, sources)
                self._download(sources, todo.missing)
                putting = Putting(folder, change, sources, self.security, self.replace)
                putting.remember(wishes or {})
                arrivals = putting.put(todo.missing)
            notes = (*todo.plan.notes, *sources.offline())
        new = {one.id for one in arrivals}
        unchanged = [(one.id, str(one.version)) for one in todo.plan.releases if one.id not in new]
        return InstallReport(tuple(arrivals), tuple(unchanged), notes)

    def _todo(self, plan: Planner, sources: Sources) -> _Todo:
        found = plan(present_in(self.folder, self.search), sources)
        installed = PluginFolder(self.folder).installed()
        missing = [one for one in found.releases if not self._is_there(installed.get(one.id), one)]
        return _Todo(found, missing)

    def waiting(self, waited: float) -> None:
        """Say that somebody else is changing the folder."""
        label = f"waiting for another installation into {self.folder.name}"
        self.progress(label, round(waited, 1), self.patience, "s")

    def _is_there(self, record: Installed | None, release: Release) -> bool:
        """Whether nothing has to come: files that are missing do, edited ones if so asked."""
        if record is None or record.tree != release.digest:
            return False
        folder = PluginFolder(self.folder)
        if any(not (folder.root / path).is_file() for path in record.paths):
            return False
        return not self.replace or not folder.edited(record)

    def _download(self, sources: Sources, releases: Sequence[Release]) -> None:
        """Have the archives of releases here; those of one registry come together."""
        for client in sources.clients if releases else ():
            wanted = [
                (one.id, sources.published(one)) for one in releases if one.place == client.place
            ]
            if wanted:
                client.download(wanted, self.progress)


class _Todo(Struct, frozen=True):
    """What there is to do.

    Attributes:
        plan: it.
        missing: the releases of it that are not there.
    """

    plan: Plan
    missing: Sequence[Release]
