"""Puts what was downloaded into a folder of plugins, one plugin after the other."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from nebula_lab.discovery import read_descriptor
from nebula_lab.errors import MetadataLoadError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.granted_rights import rights_of
from nebula_lab.model.release import Release
from nebula_lab.model.rights_in_words import in_short
from nebula_lab.model.sandbox_choice import mode_for
from nebula_lab.model.sandbox_mode import SandboxMode
from nebula_lab.model.security import SecurityConfig
from nebula_lab.registry.agreement import require_as_promised
from nebula_lab.registry.installing.folder import PluginFolder
from nebula_lab.registry.installing.placing import place
from nebula_lab.registry.installing.record import Installed
from nebula_lab.registry.installing.reports import Arrival
from nebula_lab.registry.installing.room import require_room
from nebula_lab.registry.installing.sources import Sources
from nebula_lab.registry.publishing.changes import Change
from nebula_lab.registry.unpacking import write_files
from nebula_lab.trust.contents import CollectedPlugin

__all__ = ["Putting"]


class Putting:
    """What one change of a folder brings.

    Args:
        folder: the folder.
        change: the change of it.
        sources: the registries; the archives are here already.
        security: whose signatures are needed.
        replace: whether files that somebody has edited are put aside.
    """

    def __init__(
        self,
        folder: PluginFolder,
        change: Change,
        sources: Sources,
        security: SecurityConfig,
        replace: bool,
    ) -> None:
        self._folder = folder
        self._change = change
        self._sources = sources
        self._security = security
        self._replace = replace
        self._installed = folder.installed()
        self._wishes: Mapping[str, str] = {}

    def remember(self, wishes: Mapping[str, str]) -> None:
        """Note which versions somebody asked for, by id, also of what is there already."""
        self._wishes = wishes
        for plugin_id, requirement in wishes.items():
            record = self._installed.get(plugin_id)
            if record is not None and record.requirement != requirement:
                self._folder.put_record(self._change, replace(record, requirement=requirement))

    def put(self, releases: Sequence[Release]) -> list[Arrival]:
        """Put releases into the folder; nothing is there before the change happens.

        Raises:
            ArchiveError: an archive is a trap, or says something else than the registry.
            SignatureError: one is not signed as it has to be.
            InstallError: there is no room, or something is in the way.
        """
        sizes = [self._sources.published(one).archive.size for one in releases]
        require_room(self._folder.root, sum(sizes))
        return [self._put(one) for one in releases]

    def _put(self, release: Release) -> Arrival:
        published = self._sources.published(release)
        client = self._sources.client_of(release)
        # One at a time is in memory, however many there are.
        collected = client.opened(release.id, published, self._folder.root)
        self._require_signed(collected)
        require_room(self._folder.root, sum(file.size for file in collected.files.files))
        before = self._installed.get(release.id)
        record = _record(release, collected, self._wishes, before)
        rights_before = () if before is None else self._rights_of_what_is_there(before)
        with _written(self._folder, collected) as files:
            del collected
            rights = _rights(require_as_promised(files, release.id, published), self._security)
            kept = place(self._folder, self._change, record, files, self._installed, self._replace)
        self._installed[release.id] = record
        return Arrival(
            record.id,
            record.version,
            None if before is None else before.version,
            None if kept is None else self._folder.root / kept,
            rights,
            tuple(one for one in rights if one not in rights_before),
        )

    def _rights_of_what_is_there(self, record: Installed) -> tuple[str, ...]:
        try:
            there = read_descriptor(self._folder.root / record.source)
        except MetadataLoadError:  # somebody has removed it, or broken it
            return ()
        return _rights(there, self._security)

    def _require_signed(self, collected: CollectedPlugin) -> None:
        if not self._security.verify_signature:
            return
        from nebula_lab.trust.policy import require

        require(collected, self._security)


def _rights(descriptor: PluginDescriptor, security: SecurityConfig) -> tuple[str, ...]:
    """In words; none where nothing confines plugins, and so each may do anything."""
    if mode_for(descriptor, security) is SandboxMode.NONE:
        return ()
    return in_short(rights_of(descriptor, security))


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


@contextlib.contextmanager
def _written(folder: PluginFolder, collected: CollectedPlugin) -> Iterator[Path]:
    """A folder beside the plugins that has the files of one; gone afterwards."""
    files = folder.private / f"unpack-{secrets.token_hex(8)}"
    try:
        write_files(collected, files)
        yield files
    finally:
        shutil.rmtree(files, ignore_errors=True)
