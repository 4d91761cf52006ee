"""Plugins that a registry offers: listed without their files, which come when they are wanted."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from nebula_lab.discovery import DiscoveryKind, DiscoveryResult
from nebula_lab.errors import DiscoveryError, RegistryAnswerError, RegistryError, StoreError
from nebula_lab.model.descriptor import PluginDescriptor
from nebula_lab.model.discovery_strategy import Registry
from nebula_lab.model.problem import Problem
from nebula_lab.model.release import Release
from nebula_lab.registry.agreement import require_as_promised
from nebula_lab.registry.choosing import newest
from nebula_lab.registry.client.client import Progress, RegistryClient
from nebula_lab.registry.client.patience import Patience
from nebula_lab.registry.format.documents import PluginDocument, PublishedVersion
from nebula_lab.registry.format.values import descriptor_of, release_of
from nebula_lab.registry.unpacking import write_files
from nebula_lab.trust.contents import CollectedPlugin
from nebula_lab.trust.layout import default_root

__all__ = ["RegistryDiscoverer"]

_MOST = 5_000  # plugins; what is said of each is asked for
_MONTH = 30 * 24 * 3600.0  # seconds


class RegistryDiscoverer:
    """Finds what one registry has; which of the versions are taken is for others to choose.

    A descriptor's path is where its files will be: they are fetched by `collect`, when the plugin
    is first loaded.

    Args:
        registry: where to ask, and with which secret.
        home: the folder for what comes from there; that of the user without.
        patience: how long the registry may take.
        progress: is told how far what comes from there is, on the thread of whoever waits for it.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        home: Path | None = None,
        patience: Patience | None = None,
        progress: Progress = lambda *_: None,
    ) -> None:
        self._progress = progress
        self._registry = registry
        self._home = home or default_root().parent
        self._patience = patience
        self._offered: dict[tuple[str, str], PublishedVersion] = {}

    def discover(self) -> DiscoveryResult:
        """Ask the registry what it has.

        Raises:
            DiscoveryError: it can't be asked, and nothing is known of it from before.
            ConfigError: its address, or where its secret is, is wrong.
        """
        self._tidy()
        try:
            with self._client() as client:
                entries = client.index().plugins
                if len(entries) > _MOST:
                    raise _too_many(client.place, len(entries))
                documents = client.plugins(entries, self._progress)
                return self._offer(client, [one for one in documents if one is not None])
        except RegistryError as error:
            raise DiscoveryError(
                error.message, plugin_id=error.plugin_id, path=error.path, hint=error.hint
            ) from error

    def collect(self, descriptor: PluginDescriptor) -> CollectedPlugin:
        """The files of a plugin that was found here.

        They are the promised ones, wherever they come from now. A copy of them lies at the
        descriptor's path, for tracebacks to lead to.

        Raises:
            StoreError: the registry no longer offers that version, or it can't be had.
        """
        version = self._offered.get((descriptor.id, str(descriptor.version)))
        if version is None:
            raise StoreError(
                "is not among what the registry offers",
                plugin_id=descriptor.id,
                path=descriptor.path,
                hint="Look for plugins again.",
            )
        folder = descriptor.path.parent
        try:
            with self._client() as client:
                [collected] = client.fetch([(descriptor.id, version)], folder, self._progress)
            self._lay_out(collected, version, folder)
        except RegistryError as error:
            raise StoreError(
                f"its files can't be had: {error.message}",
                plugin_id=descriptor.id,
                path=error.path,
                hint=error.hint,
            ) from error
        return collected

    def _client(self) -> RegistryClient:
        cache = self._home / "store" / "registries"
        return RegistryClient(self._registry, cache=cache, patience=self._patience)

    def _offer(
        self, client: RegistryClient, documents: Iterable[PluginDocument]
    ) -> DiscoveryResult:
        found: list[PluginDescriptor] = []
        others: list[PluginDescriptor] = []
        problems: list[Problem] = []
        elsewhere: dict[tuple[str, str], Release] = {}
        if client.offline is not None:
            problems.append(_note(client.offline, "Look for plugins again once it answers."))
        for document in documents:
            usable, notes = self._versions(document, client.place)
            problems += notes
            best = newest(release for _, release in usable)
            for descriptor, release in usable:
                elsewhere[release.id, str(release.version)] = release
                (found if release is best else others).append(descriptor)
        return DiscoveryResult(tuple(found), tuple(problems), tuple(others), elsewhere)

    def _versions(
        self, document: PluginDocument, place: str
    ) -> tuple[list[tuple[PluginDescriptor, Release]], list[Problem]]:
        """The versions of a plugin that can be used, and what there is to say of the others."""
        usable, problems = [], []
        for version in document.versions:
            try:
                descriptor = descriptor_of(document.id, version, place, self._folder(document.id))
                usable.append((descriptor, release_of(document.id, version, place)))
                self._offered[document.id, version.version] = version
            except RegistryAnswerError as error:
                problems.append(Problem.from_error(error, DiscoveryKind.DISCOVERY, "note"))
        return usable, problems

    def _lay_out(self, collected: CollectedPlugin, version: PublishedVersion, folder: Path) -> None:
        """Hold the files to what was promised, and put them where the descriptor says."""
        new = folder.with_name(f"new-{secrets.token_hex(8)}")
        try:
            write_files(collected, new)
            # Also where they are there: another registry may have promised something else of them.
            require_as_promised(new, collected.plugin_id, version)
            if not _is_copy(folder, collected):  # else whoever watches it would see a change
                _put_in_place(new, folder)
            os.utime(folder)
        except OSError as error:
            raise RegistryError(
                f"they can't be unpacked: {error.strerror or error}",
                path=new,
                hint="Make room there, or set NEBULA_LAB_HOME to a folder that has some.",
            ) from error
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _folder(self, plugin_id: str) -> Path:
        """Where a plugin's files are, of whatever version: its history goes by that."""
        name = sha256(self._registry.url.encode()).hexdigest()[:16]
        return self._home / "unpacked" / name / plugin_id

    def _tidy(self) -> None:
        """Remove copies that nobody has loaded for a month."""
        for folder in (self._home / "unpacked").glob("*/*"):
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > _MONTH:
                    shutil.rmtree(folder)


def _too_many(place: str, count: int) -> DiscoveryError:
    return DiscoveryError(
        f"the registry has {count:,} plugins, and at most {_MOST:,} are loaded from one",
        path=place,
        hint="Install those that you need: list it under registries, and say %plugin install.",
    )


def _is_copy(folder: Path, collected: CollectedPlugin) -> bool:
    """Whether the files of a plugin are what is in a folder already."""
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return there == collected.contents.keys() and all(
        (folder / name).read_bytes() == content for name, content in collected.contents.items()
    )


def _put_in_place(new: Path, folder: Path) -> None:
    """Put a copy where another may be; a process that does the same at the same time is as good."""
    old = new.with_name(f"old-{new.name}")
    with contextlib.suppress(OSError):
        folder.rename(old)
    with contextlib.suppress(OSError):
        new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _note(message: str, cure: str) -> Problem:
    return Problem(kind=DiscoveryKind.DISCOVERY, message=message, cure=cure, severity="note")
